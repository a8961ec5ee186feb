// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TestSupport
import Testing

@Suite struct OpenStaysTests {
  private static func row(
    _ connection: UInt64, _ old: TCPState, _ new: TCPState, at time: UInt64, _ source: Source = .event
  ) -> Transition {
    var row = Transition()
    (row.connection, row.old, row.new, row.time, row.source) = (connection, old, new, time, source)
    return row
  }

  private static func closeWait(_ rows: [Transition], until now: UInt64 = 0) -> OpenStays {
    var summary = StaySummary(keys: [], filter: RowFilter())
    for row in rows { summary.receive(row) }
    summary.advance(to: now)
    return summary.openStays()[Int(TCPState.closeWait.number)]
  }

  private static func stays(_ count: UInt64, oldest: UInt64?, isBound: Bool = false, total: UInt64) -> OpenStays {
    var stays = OpenStays()
    stays.count = count
    stays.oldest = oldest
    stays.oldestIsLowerBound = isBound
    stays.total = total
    return stays
  }

  @Test func lastsUntilTheLatestRow() {
    let rows = [
      Self.row(1, .established, .closeWait, at: 1000), Self.row(2, .established, .closeWait, at: 1600),
      Self.row(3, .closed, .listen, at: 3000),
    ]
    #expect(Self.closeWait(rows) == Self.stays(2, oldest: 2000, total: 3400))
    #expect(
      Self.closeWait(rows, until: 10_000) == Self.stays(2, oldest: 9000, total: 17_400), "time passes without rows")
    let left = rows + [Self.row(1, .closeWait, .lastAck, at: 3000)]
    #expect(Self.closeWait(left) == Self.stays(1, oldest: 1400, total: 1400))
  }

  /// A socket that was found in its state has been there for longer.
  @Test func found() {
    let found = Self.row(1, .closeWait, .closeWait, at: 1000, .snapshot)
    let later = Self.row(2, .closed, .listen, at: 5000)
    #expect(Self.closeWait([found, later]) == Self.stays(1, oldest: 4000, isBound: true, total: 4000))
    // Found again, as where recordings are joined: it has been there since before.
    let entered = Self.row(1, .established, .closeWait, at: 500)
    #expect(Self.closeWait([entered, found, later]) == Self.stays(1, oldest: 4500, total: 4500))
  }

  /// Rows without times, of tcpstates, give no age, and none of 0.
  @Test func withoutTimes() {
    #expect(Self.closeWait([Self.row(1, .established, .closeWait, at: 0)]) == Self.stays(1, oldest: nil, total: 0))
    var stays = OpenStays()
    stays.add(nil)
    stays.add(Stay(nanoseconds: 7, kind: .exact))
    #expect(stays == Self.stays(2, oldest: 7, total: 7))
  }

  /// The clock was set back.
  @Test func neverNegative() {
    let rows = [Self.row(1, .established, .closeWait, at: 5000)]
    #expect(Self.closeWait(rows, until: 10) == Self.stays(1, oldest: 0, total: 0))
  }

  /// Of equally old ones an exact one counts; the order makes no difference.
  @Test func bounds() {
    let ages = [
      Stay(nanoseconds: 9, kind: .atLeast), Stay(nanoseconds: 9, kind: .exact), Stay(nanoseconds: 5, kind: .atLeast),
    ]
    for first in 0..<3 {
      for second in 0..<3 where second != first {
        var stays = OpenStays()
        var other = OpenStays()
        stays.add(ages[first])
        other.add(ages[second])
        other.add(ages[3 - first - second])
        stays.add(other)
        #expect(stays == Self.stays(3, oldest: 9, total: 23))
      }
    }
    var most = OpenStays()
    for _ in 0..<2 { most.add(Stay(nanoseconds: .max, kind: .atLeast)) }
    #expect(most == Self.stays(2, oldest: .max, isBound: true, total: .max))
  }

  /// Parts of a recording give what the whole does.
  @Test func parts() {
    var random = SeededGenerator(seed: 11)
    let rows = (0..<3000).map { index in
      let states: [TCPState] = [.established, .closeWait, .lastAck, .closed]
      let row = Self.row(
        .random(in: 1...200, using: &random), states[.random(in: 0..<4, using: &random)],
        states[.random(in: 0..<4, using: &random)], at: UInt64(index) * 10)
      return row
    }
    var whole = StaySummary(keys: [], filter: RowFilter())
    for row in rows { whole.receive(row) }
    var merged = StaySummary(keys: [], filter: RowFilter())
    var part = StaySummary(keys: [], filter: RowFilter(), isPart: true)
    for row in rows { part.receive(row) }
    var steps: [SocketStep] = []
    part.exchangeSteps(&steps)
    merged.apply(steps, groups: [0])
    merged.mergeStays(part)
    let (found, expected) = (merged.openStays(), whole.openStays())
    #expect(found == expected)
    #expect(expected[Int(TCPState.closeWait.number)].count > 20)
  }
}
