// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent

/// How long a socket has been in its state, as far as one reading of it shows.
///
/// The kernel keeps no time of a state's beginning, but times of other things: what happened after the state began gives
/// a lower bound, what happened before it an upper one. A keepalive probe that the peer answers, a window probe or a late
/// acknowledgement renews some of these times, so each is used only for what it proves.
public struct AgeBounds: Equatable, Sendable {
  /// At least this many nanoseconds; 0 if nothing is known.
  public var least: UInt64
  /// At most this many nanoseconds; `nil` if not known.
  public var most: UInt64?

  static let unknown = AgeBounds(least: 0, most: nil)

  init(least: UInt64, most: UInt64?) {
    self.least = least
    self.most = most.map { max($0, least) }
  }
}

/// Reads ages from records of the kernel's tables.
public enum SnapshotAge {
  /// The lower bound alone, in nanoseconds.
  public static func least(_ snapshot: UnsafePointer<tcpstate_snapshot>, ticksPerSecond: UInt64?) -> UInt64 {
    bounds(snapshot, ticksPerSecond: ticksPerSecond).least
  }

  /// - Parameter ticksPerSecond: CONFIG_HZ; without it only minisocks have an age.
  public static func bounds(_ snapshot: UnsafePointer<tcpstate_snapshot>, ticksPerSecond: UInt64?) -> AgeBounds {
    let kind = Int32(snapshot.pointee.event.kind)
    switch kind {
    case TCPSTATE_KIND_REQUEST:
      let age = UInt64(snapshot.pointee.request_age_us) * 1000
      return age == 0 ? .unknown : AgeBounds(least: age, most: age)
    case TCPSTATE_KIND_TIMEWAIT: return minisock(snapshot, ticksPerSecond: ticksPerSecond)
    default: break
    }
    guard let ticksPerSecond else { return .unknown }
    let socket = FullSocket(snapshot, ticks: ticksPerSecond)
    let state = TCPState(number: snapshot.pointee.event.state_new)
    // MPTCP's own FIN (DATA_FIN) comes with an acknowledgment, too; when ours was sent, nothing says.
    if kind == TCPSTATE_KIND_MPTCP, state != .established, state != .closeWait, state != .finWait2 { return .unknown }
    switch state {
    case .closeWait: return socket.closeWait
    case .finWait2: return socket.finWait2
    case .closing: return socket.closing
    case .established: return socket.established
    case .synSent: return socket.synSent
    case .finWait1, .lastAck: return socket.finUnacknowledged
    default: return .unknown
    }
  }

  /// The stamp is of the minisock's beginning: for an orphan in FIN-WAIT-2, when the kernel took it over.
  private static func minisock(
    _ snapshot: UnsafePointer<tcpstate_snapshot>, ticksPerSecond: UInt64?
  ) -> AgeBounds {
    let now = snapshot.pointee.event.timestamp_ns
    guard snapshot.pointee.event.state_new == TCPState.timeWait.number else {
      guard let stamp = TimeWaitEntry.stamp(snapshot) else { return .unknown }
      return AgeBounds(least: now / 1_000_000 * 1_000_000 - stamp, most: now - stamp)
    }
    let entry = TimeWaitEntry(snapshot, ticksPerSecond: ticksPerSecond)
    guard entry.earliest > 0 else { return AgeBounds(least: now - entry.latest, most: nil) }
    let most = now - entry.earliest
    return AgeBounds(least: entry.isClose ? most / 1_000_000 * 1_000_000 : now - entry.latest, most: most)
  }

  /// Whether `least` is the whole time, which a half-open request and a minisock in TIME-WAIT can show.
  public static func isExact(_ snapshot: UnsafePointer<tcpstate_snapshot>, ticksPerSecond: UInt64?) -> Bool {
    switch Int32(snapshot.pointee.event.kind) {
    case TCPSTATE_KIND_REQUEST: true
    case TCPSTATE_KIND_TIMEWAIT:
      snapshot.pointee.event.state_new == TCPState.timeWait.number
        && TimeWaitEntry(snapshot, ticksPerSecond: ticksPerSecond).isClose
    default: false
    }
  }

  /// ICSK_TIME_RETRANS, include/net/inet_connection_sock.h. The timers of a loss probe and of reordering are due long
  /// before the RTO, so they show no wait.
  private static let retransmission = 1

  /// The least time that a SYN or FIN has gone unanswered, in nanoseconds, if no TCP_USER_TIMEOUT shortens the waits.
  ///
  /// Each timeout waited for the RTO of its time: the first ones for the base, the later ones for its doubles
  /// (`icsk_backoff`; tcp_retransmit_timer(), net/ipv4/tcp_timer.c). The current one began `RTO − rest` ago. This is
  /// about the FIN only if nothing else is outstanding: acknowledging the data before it would have reset the count. If
  /// the RTO has reached its maximum, the base was larger than this takes it to be.
  static func unanswered(_ snapshot: UnsafePointer<tcpstate_snapshot>, ticksPerSecond ticks: UInt64) -> UInt64 {
    let event = EventRecord(snapshot).event
    guard event.pointee.write_sequence &- event.pointee.send_unacknowledged == 1,
      snapshot.pointee.timer_expires != 0, snapshot.pointee.pending_timer <= retransmission
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

/// The times of a full socket, as durations until the record was read.
private struct FullSocket {
  private let snapshot: UnsafePointer<tcpstate_snapshot>
  private let ticks: UInt64
  /// Low 32 bits of jiffies when the record was read.
  private let now: UInt32
  /// CLOCK_MONOTONIC milliseconds modulo 2^32 when the record was read.
  private let milliseconds: UInt32

  init(_ snapshot: UnsafePointer<tcpstate_snapshot>, ticks: UInt64) {
    self.snapshot = snapshot
    self.ticks = ticks
    now = UInt32(truncatingIfNeeded: snapshot.pointee.jiffies)
    milliseconds = UInt32(truncatingIfNeeded: snapshot.pointee.event.timestamp_ns / 1_000_000)
  }

  /// The time since a tick, rounded both ways: the last tick has begun but not passed.
  private func since(_ jiffies: UInt32) -> AgeBounds? {
    let passed = now &- jiffies
    guard jiffies != 0, passed < 1 << 31 else { return nil }
    return AgeBounds(least: nanoseconds(UInt64(passed == 0 ? 0 : passed - 1)), most: nanoseconds(UInt64(passed) + 1))
  }

  /// The time since a millisecond, rounded both ways.
  private func since(milliseconds then: UInt32) -> AgeBounds? {
    let passed = milliseconds &- then
    guard then != 0, passed < 1 << 31 else { return nil }
    return AgeBounds(
      least: UInt64(passed == 0 ? 0 : passed - 1) * 1_000_000, most: (UInt64(passed) + 1) * 1_000_000)
  }

  private func nanoseconds(_ count: UInt64) -> UInt64 { count.saturatingMultiplied(by: 1_000_000_000) / ticks }

  /// The peer's last acknowledgement; keepalive and window probes renew it.
  private var acknowledged: AgeBounds? { since(snapshot.pointee.last_acked_jiffies) }
  /// The last payload received; before any, the handshake's end.
  private var received: AgeBounds? { since(snapshot.pointee.last_data_received_jiffies) }
  /// The last payload sent; before any, the handshake's end.
  private var sent: AgeBounds? { since(snapshot.pointee.last_data_sent_jiffies) }
  /// The last time that the peer acknowledged something new.
  private var delivered: AgeBounds? { since(milliseconds: snapshot.pointee.delivered_ms) }

  /// The FIN came with the last acknowledgement or before it, and with the last payload or after it.
  ///
  /// It arms the timer of delayed acknowledgements, which nothing else does in CLOSE-WAIT. If that is due later after the
  /// last payload than payload delays it, 200 ms at most, then the FIN has armed it (tcp_fin() and
  /// tcp_send_delayed_ack(), net/ipv4). On the end that accepted, nothing but payload and the FIN arms it at all.
  var closeWait: AgeBounds {
    var bounds = AgeBounds(least: acknowledged?.least ?? 0, most: received?.most)
    let due = snapshot.pointee.ack_timer_jiffies
    let delay = Int64(ticks / 5)  // TCP_DELACK_MAX
    let counters = PayloadCounters(EventRecord(snapshot).event)
    let isFirst = counters.role == .server && counters.received == 0
    let behind = Int64(Int32(bitPattern: due &- snapshot.pointee.last_data_received_jiffies))
    let passed = Int64(Int32(bitPattern: now &- due))
    guard due != 0, received != nil, behind > (isFirst ? 0 : delay + 1), passed > -Int64(ticks) else { return bounds }
    if passed > 1 { bounds.least = max(bounds.least, nanoseconds(UInt64(passed - 1))) }
    let earliest = nanoseconds(UInt64(max(0, passed + delay)) + 2)
    return AgeBounds(least: bounds.least, most: min(bounds.most ?? earliest, earliest))
  }

  /// It began as the peer acknowledged the FIN, after which there is nothing to acknowledge.
  var finWait2: AgeBounds {
    let least = acknowledged?.least ?? 0
    guard let delivered else { return AgeBounds(least: least, most: sent?.most) }
    return AgeBounds(least: max(least, delivered.least), most: delivered.most)
  }

  /// It began with the peer's FIN, as CLOSE-WAIT does.
  var closing: AgeBounds { AgeBounds(least: acknowledged?.least ?? 0, most: received?.most) }

  /// All of these times are of something that happened in this state. If there was no payload in a
  /// direction, its time is that of the handshake's end.
  var established: AgeBounds {
    let event = snapshot.pointee.event
    let least = [acknowledged, received, sent, since(snapshot.pointee.least_rtt_jiffies)].map { $0?.least ?? 0 }
    let untouched = [event.bytes_received == 0 ? received?.most : nil, event.bytes_sent == 0 ? sent?.most : nil]
    return AgeBounds(least: least.max() ?? 0, most: untouched.compactMap { $0 }.min())
  }

  /// The state began right before the first SYN.
  var synSent: AgeBounds {
    since(milliseconds: snapshot.pointee.syn_sent_ms) ?? AgeBounds(least: unanswered, most: nil)
  }

  /// How long a SYN or FIN has been unanswered. TCP_USER_TIMEOUT shortens the waits after the first timeout
  /// (tcp_clamp_rto_to_user_timeout(), net/ipv4/tcp_timer.c), which their number doesn't show, but the first one's time
  /// does.
  private var unanswered: UInt64 {
    sinceFirstTimeout?.least ?? SnapshotAge.unanswered(snapshot, ticksPerSecond: ticks)
  }

  /// Since the first of the timeouts in a row; however long later waits are, and whatever limits them
  /// (net.ipv4.tcp_rto_max_ms, TCP_RTO_MAX_MS).
  private var sinceFirstTimeout: AgeBounds? {
    snapshot.pointee.event.timeouts > 0 ? since(milliseconds: snapshot.pointee.first_timeout_ms) : nil
  }

  /// If nothing but the FIN is outstanding, the timeouts are the FIN's: acknowledging what was before it would have
  /// reset them. Otherwise close() may have come at any time.
  var finUnacknowledged: AgeBounds {
    let event = EventRecord(snapshot).event
    guard event.pointee.write_sequence &- event.pointee.send_unacknowledged == 1 else { return .unknown }
    return AgeBounds(least: unanswered, most: sinceFIN)
  }

  /// An upper bound: the FIN was sent at most two RTOs before its timer was due first, the second for a loss probe, unless
  /// it waited behind payload that was acknowledged later than that.
  private var sinceFIN: UInt64? {
    let rto = nanoseconds(UInt64(snapshot.pointee.event.rto_jiffies) + 2)
    let most: UInt64
    if snapshot.pointee.event.timeouts > 0 {
      guard let sinceFirstTimeout, let limit = sinceFirstTimeout.most else { return nil }
      // The wheel fires a timer late by up to an eighth.
      most = limit.saturatingAdding(2 * rto + rto / 4)
    } else {
      let rest = Int64(bitPattern: snapshot.pointee.timer_expires &- snapshot.pointee.jiffies)
      guard snapshot.pointee.timer_expires != 0 else { return nil }
      let passed = rest > 0 ? rto - min(rto, nanoseconds(UInt64(rest))) : rto + nanoseconds(UInt64(min(-rest, 1 << 31)))
      most = passed.saturatingAdding(rto + rto / 8)
    }
    guard let delivered, delivered.least > most else { return nil }
    return most
  }
}
