import CTCPStateEvent

/// How long a socket has been in its state, as far as one reading of it shows.
public enum SnapshotAge {
  /// The least time that the socket has been in its state, in nanoseconds; 0 if the reading doesn't show any.
  ///
  /// In CLOSE-WAIT and FIN-WAIT-2 no segment with an ACK arrives after the one that led to the state, except probes. So
  /// the time since the last one is a lower bound. In ESTABLISHED data may have arrived since; the time since the last
  /// of it is a weaker bound, but still a true one. FIN-WAIT-1 and LAST-ACK are entered by our own close(), however
  /// long the peer was silent before: there and in SYN-SENT the timeouts count, see `unanswered`.
  ///
  /// - Parameter ticksPerSecond: CONFIG_HZ; without it only minisocks have an age.
  public static func least(_ snapshot: UnsafePointer<tcpstate_snapshot>, ticksPerSecond: UInt64?) -> UInt64 {
    let kind = Int32(snapshot.pointee.event.kind)
    if kind == TCPSTATE_KIND_REQUEST { return UInt64(snapshot.pointee.request_age_us) * 1000 }
    if kind == TCPSTATE_KIND_TIMEWAIT {
      guard Int32(snapshot.pointee.event.flags) & TCPSTATE_FLAG_HAS_ENTRY_STAMP != 0 else { return 0 }
      let now = UInt32(truncatingIfNeeded: snapshot.pointee.event.timestamp_ns / 1_000_000)
      let age = now &- snapshot.pointee.entry_stamp_ms
      return age < 1 << 31 ? UInt64(age) * 1_000_000 : 0
    }
    guard let ticks = ticksPerSecond else { return 0 }
    let state = TCPState(number: snapshot.pointee.event.state_new)
    // MPTCP's own FIN (DATA_FIN) comes with an acknowledgment, too; when ours was sent, nothing says.
    if kind == TCPSTATE_KIND_MPTCP, state != .established, state != .closeWait, state != .finWait2 { return 0 }
    if state == .synSent || state == .finWait1 || state == .lastAck {
      return unanswered(snapshot, ticksPerSecond: ticks)
    }
    guard state.isSynchronized, snapshot.pointee.last_acked_jiffies != 0 else { return 0 }
    let age = UInt32(truncatingIfNeeded: snapshot.pointee.jiffies) &- snapshot.pointee.last_acked_jiffies
    guard age < 1 << 31 else { return 0 }
    // The last tick has begun but not passed, so only one less is certain.
    return UInt64(age == 0 ? 0 : age - 1) * 1_000_000_000 / ticks
  }

  /// The least time that a SYN or FIN has gone unanswered, in nanoseconds.
  ///
  /// Each timeout waited for the RTO of its time: the first ones for the base, the later ones for its doubles
  /// (`icsk_backoff`; tcp_retransmit_timer(), net/ipv4/tcp_timer.c). The current one began `RTO − rest` ago. This is
  /// about the FIN only if nothing else is outstanding: acknowledging the data before it would have reset the count.
  static func unanswered(_ snapshot: UnsafePointer<tcpstate_snapshot>, ticksPerSecond ticks: UInt64) -> UInt64 {
    let event = EventRecord(snapshot).event
    guard event.pointee.write_sequence &- event.pointee.send_unacknowledged == 1,
      snapshot.pointee.timer_expires != 0
    else { return 0 }
    let rto = UInt64(event.pointee.rto_jiffies)
    let timeouts = UInt64(event.pointee.timeouts)
    let backoff = min(UInt64(event.pointee.backoff), timeouts, 32)
    let base = rto >> backoff
    let waited = (timeouts - backoff) * base + ((1 << backoff) - 1) * base
    let rest = snapshot.pointee.timer_expires &- snapshot.pointee.jiffies
    let begun = Int64(bitPattern: rest) <= 0 ? rto : rto - min(rest, rto)
    // Because of rounding each wait may have begun one tick late.
    let total = waited + begun
    return (total > timeouts + 1 ? total - timeouts - 1 : 0).saturatingMultiplied(by: 1_000_000_000) / ticks
  }
}
