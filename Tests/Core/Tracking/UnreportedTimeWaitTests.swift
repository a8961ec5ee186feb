// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import Testing

/// TIME-WAITs whose end isn't reported.
@Suite struct UnreportedTimeWaitTests {
  private static let second: UInt64 = 1_000_000_000

  private static func row(_ connection: UInt64, _ old: TCPState, _ new: TCPState) -> Transition {
    var row = Transition()
    row.connection = connection
    row.old = old
    row.new = new
    return row
  }

  /// They count as open for 60 s plus a slot of the timer wheel; sockets in other states, until their end is reported.
  @Test func endAfterTheirLongestTime() {
    var summary = StaySummary(keys: [], filter: RowFilter())
    func open(_ state: TCPState, _ summary: borrowing StaySummary) -> UInt64 { summary.openNow()[Int(state.number)] }
    // One per second; the end of every third one is reported, and every fifth is in another state.
    for connection in 1...300 as ClosedRange<UInt64> {
      let now = connection * Self.second
      let new: TCPState = connection % 5 == 0 ? .closeWait : .timeWait
      summary.receive(Self.row(connection, .finWait2, new), now: now)
      if connection > 10, connection % 3 == 0 {
        summary.receive(Self.row(connection - 10, new, .closed), now: now)
      }
      summary.endTimeWaits(now: now)
      let isUnreported = { (c: UInt64) in c % 3 != 2 || c + 10 > connection }
      let all = (1...connection).filter { isUnreported($0) && $0 % 5 != 0 }
      let (least, most) = (all.count { $0 + 62 > connection }, all.count { $0 + 67 >= connection })
      let count = open(.timeWait, summary)
      #expect((UInt64(least)...UInt64(most)).contains(count), "\(connection): \(count), not \(least) to \(most)")
    }
    let (timeWait, closeWait, unmatched) = (
      open(.timeWait, summary), open(.closeWait, summary), summary.sockets.unmatched
    )
    #expect(timeWait > 0 && closeWait > 30)
    summary.endTimeWaits(now: 1000 * Self.second)
    let (later, same) = (open(.timeWait, summary), open(.closeWait, summary))
    #expect(later == 0 && same == closeWait)
    // An end that is reported late isn't unmatched.
    summary.receive(Self.row(299, .timeWait, .closed), now: 1001 * Self.second)
    let stillUnmatched = summary.sockets.unmatched
    #expect(stillUnmatched == unmatched)
  }
}
