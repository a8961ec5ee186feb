/// A process that holds a socket through one of its descriptors.
public struct SocketHolder: Hashable, Sendable, BitwiseCopyable {
  /// Thread group id, in the PID namespace of the tracer.
  public var pid: UInt32
  public var name: ShortName
  /// `nil` if only the owner is known, as in a recording.
  public var descriptor: UInt32?

  public init(pid: UInt32, name: ShortName, descriptor: UInt32?) {
    self.pid = pid
    self.name = name
    self.descriptor = descriptor
  }
}

extension SocketHolder: Comparable {
  /// Orders by process, then by descriptor.
  public static func < (a: SocketHolder, b: SocketHolder) -> Bool {
    (a.pid, a.descriptor ?? .max) < (b.pid, b.descriptor ?? .max)
  }
}
