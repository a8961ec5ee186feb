// SPDX-License-Identifier: Apache-2.0
/// How the process that owns a socket is known.
public enum OwnerKind: UInt8, Sendable, BitwiseCopyable, CaseIterable {
  /// It accepted or closed the socket, or was found to have a descriptor of it.
  case holder
  /// It has read from the socket.
  case reader
  /// It called connect() or listen().
  case opener
  /// It is the listener's owner, because no process was seen with the connection yet: it waits to be accepted, or
  /// another process may have accepted it.
  case inherited

  /// - Parameter number: one of TCPSTATE_OWNER_*; 0 is unknown.
  @inline(__always)
  public init?(number: UInt8) { self.init(rawValue: number &- 1) }

  public var name: StaticString {
    switch self {
    case .holder: "holder"
    case .reader: "reader"
    case .opener: "opener"
    case .inherited: "inherited"
    }
  }
}
