// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent

extension StuckCause {
  /// Reads the cause from a record of a full socket that a process holds, or that the kernel is closing.
  ///
  /// - Parameter socket: its bytes and probes, taken from the same record.
  init?(_ snapshot: UnsafePointer<tcpstate_snapshot>, _ socket: borrowing StuckSocket) {
    switch socket.state {
    case .listen, .timeWait, .closed: return nil
    case .synSent: self = .unanswered
    case .finWait1, .lastAck, .closing: self = Self.closing(snapshot, socket)
    default: self = Self.open(snapshot, socket)
    }
  }

  /// This end has closed: its FIN is written.
  private static func closing(
    _ snapshot: UnsafePointer<tcpstate_snapshot>, _ socket: borrowing StuckSocket
  ) -> StuckCause {
    let event = EventRecord(snapshot).event
    let isUnsent = Int32(bitPattern: event.pointee.write_sequence &- event.pointee.send_next) > 0
    guard isUnsent else { return socket.probes ?? 0 > 0 ? .probeUnanswered : .unanswered }
    if let shut = shut(snapshot, socket) { return shut }
    return event.pointee.timeouts > 0 ? .unanswered : .finUnsent
  }

  private static func open(
    _ snapshot: UnsafePointer<tcpstate_snapshot>, _ socket: borrowing StuckSocket
  ) -> StuckCause {
    let event = EventRecord(snapshot).event
    let unsent = socket.unsentBytes ?? 0
    if unsent > 0, let shut = shut(snapshot, socket) { return shut }
    if event.pointee.timeouts > 0 { return .unanswered }
    if socket.probes ?? 0 > 0 { return .probeUnanswered }
    // In CLOSE-WAIT one more than the payload: the end of the stream, which a read returns as 0.
    let pending = Int32(bitPattern: event.pointee.receive_next &- event.pointee.copied_sequence)
    if socket.state == .closeWait ? pending > 0 : socket.unreadBytes ?? 0 > 0 { return .notReading }
    if unsent > 0 || socket.unacknowledgedBytes ?? 0 > 0 { return .sending }
    switch socket.state {
    case .closeWait: return .notClosed
    case .finWait2: return .peerNotClosed
    default: return .idle
    }
  }

  /// Whether what is unsent waits for the peer's window.
  private static func shut(
    _ snapshot: UnsafePointer<tcpstate_snapshot>, _ socket: borrowing StuckSocket
  ) -> StuckCause? {
    let probes = Int32(snapshot.pointee.pending_timer) == TCPSTATE_TIMER_PROBE
    guard probes || snapshot.pointee.event.send_window == 0 else { return nil }
    // One may be on its way.
    return socket.probes ?? 0 > 1 ? .probeUnanswered : .windowShut
  }
}

extension StuckSocket {
  /// Takes what a full socket's record says about its timers and its past.
  mutating func fillActivity(_ snapshot: UnsafePointer<tcpstate_snapshot>, ticksPerSecond ticks: UInt64?) {
    probes = UInt32(snapshot.pointee.probes)
    hasKeepalive = Int32(snapshot.pointee.details) & TCPSTATE_DETAIL_KEEPALIVE != 0
    guard let ticks, state.isSynchronized else { return }
    let now = UInt32(truncatingIfNeeded: snapshot.pointee.jiffies)
    func since(_ jiffies: UInt32) -> UInt64? {
      let passed = now &- jiffies
      return jiffies == 0 || passed >= 1 << 31 ? nil : UInt64(passed) * 1_000_000_000 / ticks
    }
    silence = since(snapshot.pointee.last_data_received_jiffies)
    if Int32(snapshot.pointee.pending_timer) == TCPSTATE_TIMER_PROBE {
      windowShut = since(snapshot.pointee.probing_since_jiffies)
    }
  }
}
