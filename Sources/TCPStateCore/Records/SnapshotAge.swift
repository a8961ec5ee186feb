import CTCPStateEvent

/// What one reading of a socket tells of how long it has been in its state.
public enum SnapshotAge {
  /// How long the socket has been in its state at the least, in nanoseconds; 0 when the reading says nothing.
  ///
  /// In CLOSE-WAIT and FIN-WAIT-2 nothing that carries an ACK arrives after the
  /// segment that brought the state (but probes), so the time since then is a lower
  /// bound. In ESTABLISHED data may have come since; then it is the time of
  /// the last of it, a weaker bound, and still true. FIN-WAIT-1 and LAST-ACK
  /// are entered by a close() of ours, however long the peer was silent before:
  /// there and in SYN-SENT the timeouts tell, see `unanswered`.
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
    if state == .synSent || state == .finWait1 || state == .lastAck {
      return unanswered(snapshot, ticksPerSecond: ticks)
    }
    guard state.isSynchronized, snapshot.pointee.last_acked_jiffies != 0 else { return 0 }
    let age = UInt32(truncatingIfNeeded: snapshot.pointee.jiffies) &- snapshot.pointee.last_acked_jiffies
    guard age < 1 << 31 else { return 0 }
    // A tick has begun, not passed: one less is certain.
    return UInt64(age == 0 ? 0 : age - 1) * 1_000_000_000 / ticks
  }

  /// For how long a SYN or FIN has gone unanswered at the least.
  ///
  /// Each timeout waited for the RTO of its time: the first ones for the base, the
  /// later ones for its doubles (`icsk_backoff`; tcp_retransmit_timer(),
  /// net/ipv4/tcp_timer.c), and the present one has begun `RTO − rest` ago. This
  /// speaks of the FIN only where nothing else is outstanding: an
  /// acknowledgement of the data before it would have reset the count.
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
    // Every wait may have begun a tick late by rounding.
    let total = waited + begun
    return (total > timeouts + 1 ? total - timeouts - 1 : 0).saturatingMultiplied(by: 1_000_000_000) / ticks
  }
}
