/// A process's descriptor that refers to a socket.
public struct SocketHolder: Hashable, Sendable, BitwiseCopyable {
  /// Thread group id, in the reader's PID namespace of the start: the kernel's own numbers.
  public var pid: UInt32
  public var name: ShortName
  public var descriptor: UInt32

  public init(pid: UInt32, name: ShortName, descriptor: UInt32) {
    self.pid = pid
    self.name = name
    self.descriptor = descriptor
  }
}
