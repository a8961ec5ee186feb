// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent
import TCPStateCore
import Testing

@Suite struct TopHistoryTests {
  private static func row(_ connection: UInt64, _ old: TCPState, _ new: TCPState, stay: UInt64 = 5) -> Transition {
    var row = Transition()
    row.connection = connection
    (row.old, row.new) = (old, new)
    row.stay = Stay(nanoseconds: stay, kind: .exact)
    return row
  }

  @Test func remembersStaysUntilTheEnd() {
    var history = TopHistory()
    history.receive(Self.row(1, .closed, .synSent))
    history.receive(Self.row(1, .synSent, .established, stay: 7))
    history.receive(Self.row(1, .established, .closeWait, stay: 9))
    #expect(
      history.past(of: 1) == [
        TopStay(state: .synSent, nanoseconds: 7), TopStay(state: .established, nanoseconds: 9),
      ])
    history.receive(Self.row(1, .closeWait, .closed))
    #expect(history.past(of: 1).isEmpty && history.count == 0)
  }

  /// However often a socket reconnects, or wrong records come, only a few stays are kept.
  @Test func keepsAFewStaysOfEach() {
    var history = TopHistory()
    for number in 1...1000 as ClosedRange<UInt64> {
      history.receive(Self.row(1, .established, .closeWait, stay: number))
    }
    #expect(history.past(of: 1).count == 8)
    #expect(history.past(of: 1).last == TopStay(state: .established, nanoseconds: 1000))
  }

  /// A tracker at its limit reports transitions but drops connections without reporting their end. The history stays
  /// within the tracker's limit all the same.
  @Test func isBoundedByTheTracker() {
    var tracker = ConnectionTracker()
    var history = TopHistory()
    tracker.limit = 100
    tracker.knowsExisting = true
    var row = Transition()
    var prunings = 0
    for cookie in 1...20_000 as ClosedRange<UInt64> {
      let steps: [(TCPState, TCPState)] = [
        (.closed, .synSent), (.synSent, .established), (.established, .finWait1), (.finWait1, .finWait2),
        (.finWait2, .closed),
      ]
      for (index, step) in steps.enumerated() {
        // The last row is the one to TIME-WAIT, which the next connection replaces.
        var event = EventBuilder.transition(step.0, step.1, flags: step.1 == .closed ? TCPSTATE_FLAG_DONE : 0)
        event.cookie = cookie
        event.timestamp_ns = cookie * 1000 + UInt64(index)
        if withUnsafePointer(to: event, { tracker.apply($0, to: &row) }) { history.receive(row) }
      }
      if history.isOverfull(tracked: tracker.trackedCount) {
        prunings += 1
        var open: Set<UInt64> = []
        tracker.forEachOpen(now: 0) { open.insert($0.connection) }
        history.keep(open)
        #expect(history.count == tracker.trackedCount)
        tracker.forEachOpen(now: 0) { #expect(!history.past(of: $0.connection).isEmpty) }
      }
      #expect(history.count <= 2 * 100 + 1024)
    }
    #expect(tracker.trackedCount == 100 && prunings > 10)
  }
}
