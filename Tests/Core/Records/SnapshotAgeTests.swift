// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent
import TCPStateCore
import Testing

/// The bounds of a socket's age, at HZ=100 and 1000 s after boot; times are given as seconds before that.
@Suite struct SnapshotAgeTests {
  private static let second: UInt64 = 1_000_000_000

  private static func record(_ state: TCPState, kind: Int32 = TCPSTATE_KIND_SOCKET) -> tcpstate_snapshot {
    var record = tcpstate_snapshot()
    record.event = EventBuilder.transition(state, state)
    record.event.kind = UInt8(kind)
    record.event.timestamp_ns = 1000 * second
    // Jiffies wrap soon after boot, by intention.
    record.jiffies = 4_295_000_000
    return record
  }

  private static func ticks(_ record: tcpstate_snapshot, _ secondsAgo: Double) -> UInt32 {
    UInt32(truncatingIfNeeded: record.jiffies) &- UInt32(bitPattern: Int32((secondsAgo * 100).rounded()))
  }

  private static func milliseconds(_ secondsAgo: Double) -> UInt32 { 1_000_000 - UInt32((secondsAgo * 1000).rounded()) }

  private static func bounds(_ record: tcpstate_snapshot) -> AgeBounds {
    var record = record
    return SnapshotAge.bounds(&record, ticksPerSecond: 100)
  }

  /// Bounds in milliseconds.
  private static func expect(
    _ record: tcpstate_snapshot, _ least: UInt64, _ most: UInt64?, _ comment: Comment? = nil,
    at location: SourceLocation = #_sourceLocation
  ) {
    let bounds = bounds(record)
    #expect(bounds.least == least * 1_000_000, comment, sourceLocation: location)
    #expect(bounds.most == most.map { $0 * 1_000_000 }, comment, sourceLocation: location)
  }

  /// - Parameters:
  ///   - acked: when the last ACK came.
  ///   - received: when the last payload came, or the handshake ended.
  ///   - due: when the timer of delayed acknowledgements was due.
  private static func closeWait(acked: Double, received: Double, due: Double? = nil, payload: UInt64 = 100)
    -> tcpstate_snapshot
  {
    var record = record(.closeWait)
    record.event.flags = UInt16(TCPSTATE_FLAG_DONE)
    record.event.bytes_received = payload + 1
    record.last_acked_jiffies = ticks(record, acked)
    record.last_data_received_jiffies = ticks(record, received)
    if let due { record.ack_timer_jiffies = ticks(record, due) }
    return record
  }

  /// A keepalive probe was answered a second ago.
  @Test func closeWaitWithProbes() {
    Self.expect(Self.closeWait(acked: 1, received: 50), 990, 50_010, "the FIN came in between")
    Self.expect(Self.closeWait(acked: 1, received: 50, due: 49.9), 990, 50_010, "payload has armed the timer")
    Self.expect(
      Self.closeWait(acked: 1, received: 50, due: 49.79), 990, 50_010, "at the latest, and a tick for rounding")
    Self.expect(Self.closeWait(acked: 1, received: 50, due: 49.78), 49_770, 50_000, "the FIN has armed it")
    Self.expect(Self.closeWait(acked: 1, received: 50, due: 30), 29_990, 30_220, "the FIN has armed it")
    Self.expect(Self.closeWait(acked: 40, received: 50, due: 30), 39_990, 39_990, "armed later, for whatever reason")
    Self.expect(Self.closeWait(acked: 0.1, received: 50, due: -0.05), 90, 170, "it will be due")
    Self.expect(Self.closeWait(acked: 1, received: 50, due: 60), 990, 50_010, "armed before that payload")
  }

  /// On the end that accepted, and that nothing was sent to, only the FIN can have armed the timer.
  @Test func closeWaitWithoutPayload() {
    var record = Self.closeWait(acked: 1, received: 50, due: 49.96, payload: 0)
    Self.expect(record, 49_950, 50_010)
    // The one that connected may have delayed the last ACK of the handshake.
    record.event.bytes_acknowledged = 1
    Self.expect(record, 990, 50_010)
  }

  /// The kernel's times are of 32 bits, so half of them lie in the past.
  @Test func longAgo() {
    var record = Self.record(.finWait2)
    record.delivered_ms = 1_000_000 &- (1 << 31 - 1)
    Self.expect(record, 1 << 31 - 2, 1 << 31)
    record.delivered_ms &-= 1
    Self.expect(record, 0, nil)
    record = Self.record(.closing)
    record.last_acked_jiffies = Self.ticks(record, 0) &- (1 << 31 - 1)
    Self.expect(record, (1 << 31 - 2) * 10, nil)
    record.last_acked_jiffies &-= 1
    Self.expect(record, 0, nil)
    for state in TCPState.all { Self.expect(Self.record(state), 0, nil, "\(state)") }
  }

  @Test func unknownTimes() {
    var record = Self.record(.closeWait)
    Self.expect(record, 0, nil)
    record.last_acked_jiffies = Self.ticks(record, 1)
    Self.expect(record, 990, nil)
    // From the future, as far as the clock says.
    record.last_data_received_jiffies = Self.ticks(record, -5)
    Self.expect(record, 990, nil)
    #expect(SnapshotAge.bounds(&record, ticksPerSecond: nil).most == nil)
  }

  /// The peer acknowledged the FIN 30 s ago; payload came since, and answers to probes.
  @Test func finWait2() {
    var record = Self.record(.finWait2)
    record.last_acked_jiffies = Self.ticks(record, 1)
    record.last_data_sent_jiffies = Self.ticks(record, 40)
    Self.expect(record, 990, 40_010)
    record.delivered_ms = Self.milliseconds(30)
    Self.expect(record, 29_999, 30_001)
  }

  /// Everything that was seen in ESTABLISHED shows an age; the oldest counts.
  @Test func established() {
    var record = Self.record(.established)
    (record.event.bytes_received, record.event.bytes_sent) = (10, 10)
    record.last_acked_jiffies = Self.ticks(record, 1)
    record.last_data_received_jiffies = Self.ticks(record, 2)
    record.last_data_sent_jiffies = Self.ticks(record, 3)
    Self.expect(record, 2_990, nil)
    record.least_rtt_jiffies = Self.ticks(record, 200)
    Self.expect(record, 199_990, nil)
    record.last_data_received_jiffies = Self.ticks(record, 300)
    Self.expect(record, 299_990, nil)
    // Nothing was ever received, so that is when the handshake ended.
    record.event.bytes_received = 0
    Self.expect(record, 299_990, 300_010)
    record.last_data_sent_jiffies = Self.ticks(record, 300)
    (record.event.bytes_received, record.event.bytes_sent) = (10, 0)
    Self.expect(record, 299_990, 300_010)
  }

  @Test func closing() {
    var record = Self.record(.closing)
    record.last_acked_jiffies = Self.ticks(record, 4)
    record.last_data_received_jiffies = Self.ticks(record, 9)
    Self.expect(record, 3_990, 9_010)
  }

  /// Each timeout a second after the one before, since the RTO may not get longer; 12 s in all.
  private static func capped(_ state: TCPState) -> tcpstate_snapshot {
    var record = record(state)
    (record.event.write_sequence, record.event.send_unacknowledged) = (101, 100)
    (record.event.timeouts, record.event.backoff, record.event.rto_jiffies) = (11, 11, 100)
    record.timer_expires = record.jiffies + 50
    record.first_timeout_ms = milliseconds(11)
    return record
  }

  @Test(arguments: [TCPState.synSent, .finWait1, .lastAck]) func limitedTimeout(_ state: TCPState) {
    var record = Self.capped(state)
    #expect(Self.bounds(record).least == 10_999_000_000)
    // It doesn't get younger with the next timeout.
    record.event.timeouts += 1
    record.timer_expires += 100
    #expect(Self.bounds(record).least >= 10_999_000_000)
    // The stamp is of an earlier series.
    record.event.timeouts = 0
    #expect(Self.bounds(record).least < Self.second)
  }

  /// TCP_USER_TIMEOUT ends each wait when it is over: five timeouts in 1.5 s, although the RTO has doubled each time.
  @Test(arguments: [TCPState.finWait1, .lastAck]) func userTimeout(_ state: TCPState) {
    var record = Self.capped(state)
    (record.event.timeouts, record.event.backoff, record.event.rto_jiffies) = (5, 5, 640)
    record.first_timeout_ms = Self.milliseconds(1.3)
    #expect(Self.bounds(record).least == 1_299_000_000)
  }

  /// A loss probe is due within milliseconds, however long the RTO is.
  @Test func lossProbe() {
    var record = Self.capped(.finWait1)
    (record.event.timeouts, record.event.backoff, record.pending_timer) = (0, 0, 5)
    #expect(Self.bounds(record).least == 0)
    record.pending_timer = 1
    #expect(Self.bounds(record).least == 490_000_000)
  }

  @Test func synSent() {
    var record = Self.capped(.synSent)
    record.syn_sent_ms = Self.milliseconds(12)
    Self.expect(record, 11_999, 12_001)
    (record.event.timeouts, record.event.backoff) = (0, 0)
    Self.expect(record, 11_999, 12_001)
  }

  /// How long the FIN may have been there: only if it didn't wait behind payload.
  @Test(arguments: [TCPState.finWait1, .lastAck]) func finSentAtOnce(_ state: TCPState) {
    var record = Self.capped(state)
    (record.event.timeouts, record.event.backoff) = (0, 0)
    // Sent half a second ago, or with a loss probe in between up to 1.6 s.
    Self.expect(record, 490, nil, "when the peer last acknowledged isn't known")
    record.delivered_ms = Self.milliseconds(30)
    #expect(Self.bounds(record).most == 1_667_500_000, "close() came after all else was acknowledged")
    record.delivered_ms = Self.milliseconds(1)
    Self.expect(record, 490, nil, "the FIN may have waited")
    record = Self.capped(state)
    record.delivered_ms = Self.milliseconds(30)
    let most = Self.bounds(record).most ?? 0
    #expect(most >= 12 * Self.second && most < 14 * Self.second)
    // Payload is outstanding, too: close() may have come at any time.
    record.event.write_sequence += 1
    Self.expect(record, 0, nil)
  }

  /// TIME-WAIT without a stamp, as before Linux 6.14, from its timer, which the peer's repeated segments arm again;
  /// orphans in FIN-WAIT-2 have timers of any length.
  @Test func minisocksWithoutStamp() {
    var record = Self.record(.timeWait, kind: TCPSTATE_KIND_TIMEWAIT)
    record.timer_expires = record.jiffies + 4000
    Self.expect(record, 19_990, nil)
    record.timer_expires = record.jiffies - 10
    Self.expect(record, 60_090, nil)
    record.event.state_new = TCPState.finWait2.number
    record.timer_expires = record.jiffies + 4000
    Self.expect(record, 0, nil)
    record.timer_expires = 0
    Self.expect(record, 0, nil)
  }

  @Test func minisocksWithStamp() {
    var record = Self.record(.timeWait, kind: TCPSTATE_KIND_TIMEWAIT)
    record.event.flags = UInt16(TCPSTATE_FLAG_HAS_ENTRY_STAMP)
    record.entry_stamp_ms = Self.milliseconds(7)
    Self.expect(record, 7_000, 7_000)
    record.entry_stamp_ms = 1_000_001
    Self.expect(record, 0, nil)
  }

  @Test func requests() {
    var record = Self.record(.synReceived, kind: TCPSTATE_KIND_REQUEST)
    Self.expect(record, 0, nil)
    record.request_age_us = 4_000_000
    Self.expect(record, 4_000, 4_000)
  }
}
