// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent

/// A socket's counters without the phantom bytes as which the kernel counts SYN and FIN, and what follows from them.
struct PayloadCounters {
  /// Payload sent once, without retransmissions.
  let sent: UInt64
  let received: UInt64

  private let event: UnsafePointer<tcpstate_event>

  @inline(__always)
  init(_ event: UnsafePointer<tcpstate_event>) {
    self.event = event
    sent = event.pointee.bytes_sent &- min(event.pointee.bytes_retransmitted, event.pointee.bytes_sent)
    received = event.pointee.bytes_received &- min(Self.finReceived(event), event.pointee.bytes_received)
  }

  @inline(__always)
  private static func finReceived(_ event: UnsafePointer<tcpstate_event>) -> UInt64 {
    Int32(event.pointee.flags) & TCPSTATE_FLAG_DONE != 0 ? 1 : 0
  }

  /// 1 once our FIN is queued or sent, and not acknowledged.
  private var finWritten: Int32 {
    let old = TCPState(number: event.pointee.state_old)
    return old == .finWait1 || old == .closing || old == .lastAck ? 1 : 0
  }

  /// Payload received and not yet read by the application.
  var unread: UInt32 {
    let pending = Int32(bitPattern: event.pointee.receive_next &- event.pointee.copied_sequence)
    return UInt32(max(0, pending &- Int32(Self.finReceived(event))))
  }

  /// Payload sent and not acknowledged.
  var unacknowledged: UInt32 {
    // The FIN is sent last, so it hasn't left while anything is left to send.
    let left = Int32(bitPattern: event.pointee.write_sequence &- event.pointee.send_next)
    let flight = Int32(bitPattern: event.pointee.send_next &- event.pointee.send_unacknowledged)
    return UInt32(max(0, flight &- (left > 0 ? 0 : finWritten)))
  }

  /// Payload written by the application that hasn't been sent.
  ///
  /// The FIN counts as written from when close() or shutdown() queues it, right after the transition
  /// to FIN-WAIT-1 or LAST-ACK (tcp_send_fin(), net/ipv4/tcp_output.c). It comes after all payload, so
  /// it is unsent as long as any payload is.
  var unsent: UInt32 {
    UInt32(max(0, Int32(bitPattern: event.pointee.write_sequence &- event.pointee.send_next) &- finWritten))
  }

  /// Which end opened, from the SYN that only an active opener's
  /// bytes_acknowledged counts. Known while no FIN has been sent.
  var role: Role {
    let old = TCPState(number: event.pointee.state_old)
    guard old == .established || old == .closeWait,
      Int32(event.pointee.flags) & TCPSTATE_FLAG_SEND_SHUTDOWN == 0
    else { return .unknown }
    let flight = UInt64(event.pointee.send_next &- event.pointee.send_unacknowledged)
    switch event.pointee.bytes_acknowledged &+ flight &- sent {
    case 1: return .client
    case 0: return .server
    default: return .unknown
    }
  }

  /// ISS = SND.UNA − bytes acknowledged, which include the SYN only for an active opener; IRS = RCV.NXT − bytes
  /// received − 1. Exact modulo 2^32 once both ends have synchronised (RFC 9293, section 3.4).
  func initialSequences(role: Role) -> (send: UInt32, receive: UInt32)? {
    guard role == .client || role == .server else { return nil }
    let acknowledged = UInt32(truncatingIfNeeded: event.pointee.bytes_acknowledged)
    let first = event.pointee.send_unacknowledged &- acknowledged
    return (
      send: role == .client ? first : first &- 1,
      receive: event.pointee.receive_next &- UInt32(truncatingIfNeeded: event.pointee.bytes_received) &- 1
    )
  }
}
