import CTCPStateEvent
import TCPStateCore
import Testing

/// However many connections there are, no more than the limit are kept.
@Suite struct ConnectionLimitTests {
  private static func apply(
    _ tracker: inout ConnectionTracker, _ cookie: UInt64, at time: UInt64, _ old: TCPState, _ new: TCPState,
    flags: Int32 = 0
  ) -> Transition? {
    var event = EventBuilder.transition(old, new)
    event.cookie = cookie
    event.timestamp_ns = time
    event.flags = UInt16(flags)
    var row = Transition()
    return withUnsafePointer(to: event) { tracker.apply($0, to: &row) } ? row : nil
  }

  @Test func newOnesGetThePlaceOfTimeWait() throws {
    var tracker = ConnectionTracker()
    tracker.limit = 10
    tracker.knowsExisting = true
    for cookie in 1...1000 as ClosedRange<UInt64> {
      let start = cookie * 1000
      _ = Self.apply(&tracker, cookie, at: start, .closed, .synSent)
      _ = Self.apply(&tracker, cookie, at: start + 1, .synSent, .established)
      let closing = try #require(Self.apply(&tracker, cookie, at: start + 100, .established, .finWait1))
      #expect(closing.stay == Stay(nanoseconds: 99, kind: .exact))
      _ = Self.apply(&tracker, cookie, at: start + 101, .finWait1, .finWait2)
      let end = try #require(
        Self.apply(&tracker, cookie, at: start + 102, .finWait2, .closed, flags: TCPSTATE_FLAG_DONE))
      #expect(end.new == .timeWait)
      #expect(tracker.trackedCount <= 10)
    }
    #expect(tracker.trackedCount == 10 && tracker.openCount(.timeWait) == 10)
    #expect(tracker.crowdedOut == 990)
    #expect(tracker.unmatched == 0)
  }

  @Test func thoseBeyondHaveBoundsForStays() throws {
    var tracker = ConnectionTracker()
    tracker.limit = 10
    tracker.knowsExisting = true
    tracker.completeSince = 1
    for cookie in 1...20 as ClosedRange<UInt64> {
      _ = Self.apply(&tracker, cookie, at: cookie * 10, .closed, .synSent)
      _ = Self.apply(&tracker, cookie, at: cookie * 10 + 1, .synSent, .established)
    }
    #expect(tracker.trackedCount == 10)
    #expect(tracker.openCount(.established) == 10 && tracker.openCount(.synSent) == 0)
    for cookie in 1...20 as ClosedRange<UInt64> {
      let row = try #require(Self.apply(&tracker, cookie, at: 1000 + cookie, .established, .finWait1))
      let stay = try #require(row.stay)
      #expect(stay.nanoseconds <= 1000 + cookie - (cookie * 10 + 1))
      #expect((stay.kind == .exact) == (cookie <= 10))
    }
    #expect(tracker.unmatched == 0)
    #expect(tracker.trackedBytes < 1 << 20)
  }
}
