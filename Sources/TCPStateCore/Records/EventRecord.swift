// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent

/// A view of a `tcpstate_event`: what the record says about its socket. Valid as long as the record.
public struct EventRecord {
  public let event: UnsafePointer<tcpstate_event>

  @inline(__always)
  public init(_ event: UnsafePointer<tcpstate_event>) {
    self.event = event
  }

  /// The event in an iterator's record, of which it is the first member.
  @inline(__always)
  public init(_ snapshot: UnsafePointer<tcpstate_snapshot>) {
    event = UnsafeRawPointer(snapshot).assumingMemoryBound(to: tcpstate_event.self)
  }

  /// Identifies the socket: its cookie, or its address where the kernel has no cookies (before Linux 5.12).
  @inline(__always)
  public var key: UInt64 { event.pointee.cookie != 0 ? event.pointee.cookie : event.pointee.socket_address }

  /// In a snapshot both states are the one it is in.
  @inline(__always)
  public var old: TCPState { TCPState(number: event.pointee.state_old) }

  @inline(__always)
  public var new: TCPState { TCPState(number: event.pointee.state_new) }

  /// The port is 0 until it is bound.
  @inline(__always)
  public var local: Endpoint {
    Endpoint(address: address(TCPSTATE_OFFSET_LOCAL_ADDRESS), port: event.pointee.local_port)
  }

  /// Unspecified for a listener.
  @inline(__always)
  public var peer: Endpoint {
    Endpoint(address: address(TCPSTATE_OFFSET_PEER_ADDRESS), port: event.pointee.peer_port)
  }

  /// Empty where `owner_pid` is 0.
  @inline(__always)
  public var ownerName: ShortName { name(TCPSTATE_OFFSET_OWNER_NAME) }

  /// Empty where `actor_pid` is 0.
  @inline(__always)
  public var actorName: ShortName { name(TCPSTATE_OFFSET_ACTOR_NAME) }

  @inline(__always)
  public var congestionControl: ShortName { name(TCPSTATE_OFFSET_CONGESTION_CONTROL) }

  /// Whether it is a timewait minisock's, whose address isn't that of the full socket that it replaced.
  @inline(__always)
  public var isMinisock: Bool {
    event.pointee.kind == TCPSTATE_KIND_TIMEWAIT
      || event.pointee.kind == TCPSTATE_KIND_RESET_SENT && new == .timeWait
  }

  /// Why we sent the RST that this record reports, or that followed it. `nil` if there was none, or the kernel gives no
  /// reason (before Linux 6.10).
  @inline(__always)
  public var resetReason: ResetReason? {
    guard has(TCPSTATE_FLAG_RESET_SENT) || event.pointee.kind == TCPSTATE_KIND_RESET_SENT else { return nil }
    return ResetReason(rawValue: event.pointee.reset_reason)
  }

  /// - Parameter flag: one of TCPSTATE_FLAG_*.
  @inline(__always)
  public func has(_ flag: Int32) -> Bool { Int32(event.pointee.flags) & flag != 0 }

  /// Safe: the offset is that of a 16-byte member of the record.
  @inline(__always)
  private func address(_ offset: Int) -> IPAddress { IPAddress(networkOrder: UnsafeRawPointer(event) + offset) }

  /// Safe as `address`.
  @inline(__always)
  private func name(_ offset: Int) -> ShortName { ShortName(padded: UnsafeRawPointer(event) + offset) }
}
