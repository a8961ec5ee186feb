/// A process that has a socket, by one of its descriptors.
public struct SocketHolder: Hashable, Sendable, BitwiseCopyable {
  /// Thread group id, in the reader's PID namespace of the start: the kernel's own numbers.
  public var pid: UInt32
  public var name: ShortName
  /// `nil` where only the owner is known, as from a recording.
  public var descriptor: UInt32?

  public init(pid: UInt32, name: ShortName, descriptor: UInt32?) {
    self.pid = pid
    self.name = name
    self.descriptor = descriptor
  }
}

extension SocketHolder: Comparable {
  /// By process, then by descriptor.
  public static func < (a: SocketHolder, b: SocketHolder) -> Bool {
    (a.pid, a.descriptor ?? .max) < (b.pid, b.descriptor ?? .max)
  }
}
