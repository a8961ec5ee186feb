// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent
import TCPStateCore
import Testing

/// No more connections are kept than the limit, however many there are.
@Suite struct ConnectionLimitTests {
  private static func apply(
    _ tracker: inout ConnectionTracker, _ cookie: UInt64, at time: UInt64, _ states: (old: TCPState, new: TCPState),
    flags: Int32 = 0, peerPort: UInt16 = 0
  ) -> Transition? {
    var event = EventBuilder.transition(states.old, states.new)
    event.cookie = cookie
    event.peer_port = peerPort
    event.timestamp_ns = time
    event.flags = UInt16(flags)
    var row = Transition()
    return withUnsafePointer(to: event) { tracker.apply($0, to: &row) } ? row : nil
  }

  /// How long a tracked socket has been in its state; unknown in another state, or if it isn't tracked.
  @Test func staysThatGoOn() {
    var tracker = ConnectionTracker()
    tracker.completeSince = 1
    _ = Self.apply(&tracker, 7, at: 1000, (.closed, .synSent))
    _ = Self.apply(&tracker, 7, at: 1500, (.synSent, .established))
    #expect(tracker.stay(of: 7, in: .established, until: 1800) == Stay(nanoseconds: 300, kind: .exact))
    #expect(tracker.stay(of: 7, in: .synSent, until: 1800) == nil)
    #expect(tracker.stay(of: 8, in: .established, until: 1800) == nil)
  }

  @Test func newOnesReplaceTimeWait() throws {
    var tracker = ConnectionTracker()
    tracker.limit = 10
    tracker.knowsExisting = true
    for cookie in 1...1000 as ClosedRange<UInt64> {
      let start = cookie * 1000
      _ = Self.apply(&tracker, cookie, at: start, (.closed, .synSent))
      _ = Self.apply(&tracker, cookie, at: start + 1, (.synSent, .established))
      let closing = try #require(Self.apply(&tracker, cookie, at: start + 100, (.established, .finWait1)))
      #expect(closing.stay == Stay(nanoseconds: 99, kind: .exact))
      _ = Self.apply(&tracker, cookie, at: start + 101, (.finWait1, .finWait2))
      let end = try #require(
        Self.apply(&tracker, cookie, at: start + 102, (.finWait2, .closed), flags: TCPSTATE_FLAG_DONE))
      #expect(end.new == .timeWait)
      #expect(tracker.trackedCount <= 10)
    }
    #expect(tracker.trackedCount == 10 && tracker.openCount(.timeWait) == 10)
    #expect(tracker.crowdedOut == 990)
    #expect(tracker.unmatched == 0)
  }

  @Test func staysBeyondTheLimitAreBounds() throws {
    var tracker = ConnectionTracker()
    tracker.limit = 10
    tracker.knowsExisting = true
    tracker.completeSince = 1
    for cookie in 1...20 as ClosedRange<UInt64> {
      _ = Self.apply(&tracker, cookie, at: cookie * 10, (.closed, .synSent))
      _ = Self.apply(&tracker, cookie, at: cookie * 10 + 1, (.synSent, .established))
    }
    #expect(tracker.trackedCount == 10)
    #expect(tracker.openCount(.established) == 10 && tracker.openCount(.synSent) == 0)
    for cookie in 1...20 as ClosedRange<UInt64> {
      let row = try #require(Self.apply(&tracker, cookie, at: 1000 + cookie, (.established, .finWait1)))
      let stay = try #require(row.stay)
      #expect(stay.nanoseconds <= 1000 + cookie - (cookie * 10 + 1))
      #expect((stay.kind == .exact) == (cookie <= 10))
    }
    #expect(tracker.unmatched == 0)
    #expect(tracker.trackedBytes < 1 << 20)
  }

  // MARK: - Half-open requests

  private static func request(_ cookie: UInt64, at time: UInt64) -> tcpstate_snapshot {
    var snapshot = tcpstate_snapshot()
    snapshot.event.version = UInt8(TCPSTATE_EVENT_VERSION)
    snapshot.event.kind = UInt8(TCPSTATE_KIND_REQUEST)
    snapshot.event.cookie = cookie
    snapshot.event.timestamp_ns = time
    snapshot.event.state_new = TCPState.synReceived.number
    snapshot.event.retransmits = 1
    snapshot.request_age_us = 1
    return snapshot
  }

  /// Reads tables that contain these requests.
  ///
  /// - Returns: the number of rows, how many records were deferred to the end of the reading, and the keys that were
  ///   no longer found.
  private static func read(
    _ tracker: inout ConnectionTracker, _ cookies: Range<UInt64>, at time: UInt64
  ) -> (rows: Int, deferred: Int, vanished: [UInt64]) {
    var row = Transition()
    var (rows, deferred) = (0, 0)
    tracker.beginPass()
    for cookie in cookies {
      let found = Self.request(cookie, at: time + 1)
      withUnsafePointer(to: found) {
        if tracker.mustWait($0) { deferred += 1 }
        if tracker.apply($0, to: &row) { rows += 1 }
      }
    }
    return (rows, deferred, tracker.endPass(startedAt: time, minisocksOnly: false))
  }

  @Test func readingsFindMoreRequestsThanTheLimit() {
    var tracker = ConnectionTracker()
    tracker.limit = 10
    // Once at the start, then repeatedly.
    for pass in 1...5 as ClosedRange<UInt64> {
      let (rows, deferred, vanished) = Self.read(&tracker, 1..<1001, at: pass * 1_000_000)
      #expect(rows == 0 && vanished.isEmpty)
      #expect(deferred == (pass == 1 ? 10 : 0), "records that won't be tracked take no memory meanwhile")
      #expect(tracker.trackedCount == 10 && tracker.silentCount == 10 && tracker.openCount(.synReceived) == 10)
    }
    #expect(tracker.crowdedOut == 990)
    #expect(tracker.trackedBytes < 1 << 20)
    // Once the kernel has given them up, there is room for others.
    var row = Transition()
    let (_, _, gone) = Self.read(&tracker, 0..<0, at: 10_000_000)
    #expect(gone.count == 10)
    for key in gone {
      tracker.conclude(key, pass: 10_000_000...10_000_000, lastSeen: 5_000_000, overflowed: false, to: &row)
      #expect(row.old == .synReceived && row.new == .closed)
    }
    #expect(tracker.trackedCount == 0 && tracker.silentCount == 0 && tracker.openCount(.synReceived) == 0)
    let (rows, _, _) = Self.read(&tracker, 2000..<2005, at: 20_000_000)
    #expect(rows == 5 && tracker.silentCount == 5)
  }

  /// A request that is found while the table is full is counted.
  @Test func aFullTableIsCountedWhenARequestIsFound() {
    var tracker = ConnectionTracker()
    tracker.limit = 10
    _ = Self.read(&tracker, 1..<11, at: 1_000_000)
    #expect(tracker.knowsExisting && tracker.trackedCount == 10 && tracker.crowdedOut == 0)
    let (rows, deferred, vanished) = Self.read(&tracker, 1..<12, at: 2_000_000)
    #expect(rows == 0 && deferred == 0 && vanished.isEmpty)
    #expect(tracker.crowdedOut == 1)
  }

  private static func synAck(_ tracker: inout ConnectionTracker, _ cookie: UInt64, at time: UInt64) -> Transition? {
    var event = request(cookie, at: time).event
    event.kind = UInt8(TCPSTATE_KIND_SYN_ACK)
    event.total_rto_time_ms = 1000
    var row = Transition()
    return withUnsafePointer(to: event) { tracker.apply($0, to: &row) } ? row : nil
  }

  /// Each request sends its SYN-ACK five times, but those beyond the limit aren't reported five times.
  @Test func requestsThatResendTheirSynAck() throws {
    let second: UInt64 = 1_000_000_000
    var tracker = ConnectionTracker()
    tracker.limit = 10
    tracker.knowsExisting = true
    var reported: Set<UInt64> = []
    for time in [10, 12, 16, 24, 40] as [UInt64] {
      for cookie in 1..<1001 as Range<UInt64> {
        guard let row = Self.synAck(&tracker, cookie, at: time * second + cookie) else { continue }
        #expect(row.old == .listen && row.new == .synReceived)
        let isFirst = reported.insert(row.connection).inserted
        #expect(isFirst, "once each")
      }
      #expect(tracker.trackedCount == 10 && tracker.silentCount == 10)
    }
    #expect(reported.count == 10 && tracker.crowdedOut > 0 && tracker.unmatched == 0)
    // One that becomes a connection is reported like any other beyond the limit.
    let time = 41 * second
    let opened = try #require(Self.apply(&tracker, 500, at: time, (.listen, .synReceived), peerPort: 1))
    #expect(opened.stay == nil)
    let established = try #require(Self.apply(&tracker, 500, at: time + 20, (.synReceived, .established), peerPort: 1))
    #expect(established.role == .server && established.new == .established)
    let ended = try #require(Self.apply(&tracker, 500, at: time + 100, (.established, .finWait1), peerPort: 1))
    #expect(ended.stay.map { $0.nanoseconds <= 80 && $0.kind == .atLeast } ?? true)
    #expect(tracker.trackedCount == 10 && tracker.unmatched == 0)
  }
}
