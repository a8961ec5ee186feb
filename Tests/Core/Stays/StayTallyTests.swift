// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TestSupport
import Testing

@Suite struct StayTallyTests {
  private static func row(_ port: UInt16, _ nanoseconds: UInt64, _ kind: DurationKind = .exact) -> Transition {
    var row = Transition()
    row.connection = UInt64(port)
    row.peer.port = port
    row.old = .established
    row.new = .closeWait
    row.stay = Stay(nanoseconds: nanoseconds, kind: kind)
    return row
  }

  /// Beyond the limit all others share one group, and nothing is lost.
  @Test func limit() {
    var tally = StayTally(keys: [.remotePort], limit: 100)
    for round in 0..<3 {
      for port in 1...150 as ClosedRange<UInt16> {
        let row = Self.row(port, UInt64(port) * 1000 + UInt64(round))
        let group = tally.group(of: row)
        #expect((group == StayTally.other) == (port > 100))
        if let stay = row.stay { tally.record(stay, in: row.old, group: group) }
      }
    }
    let isOver = tally.isOverLimit
    #expect(isOver)
    let groups = tally.groups.count
    #expect(groups == 101)
    let others = tally.cell(StayTally.other, .established)?.counts.histogram.count
    let first = tally.cell(1, .established)?.counts.histogram.count
    #expect(others == 150 && first == 3)
  }

  /// A group keeps its number, however many others there are, and no two groups share one.
  @Test func numbers() {
    var random = SeededGenerator(seed: 8)
    var tally = StayTally(keys: [.process, .peer], limit: 30_000)
    var expected: [SummaryGroup: Int32] = [:]
    for _ in 0..<60_000 {
      var row = Self.row(1, 1)
      row.ownerName = ShortName(["", "worker-1", "worker-2", "worker-12", "a"].randomElement(using: &random) ?? "")
      row.peer.address = IPAddress(
        high: .random(in: 0...1, using: &random) << 32, low: 0xffff_0000_0000 | .random(in: 0..<2_000, using: &random))
      var group = SummaryGroup()
      group.first = SummaryKey.process.value(of: row)
      group.second = SummaryKey.peer.value(of: row)
      let number = tally.group(of: row)
      #expect(expected[group] ?? number == number)
      expected[group] = number
    }
    #expect(Set(expected.values).count == expected.count && expected.count > 15_000)
  }

  /// The longest stay is a lower bound only if no exact stay is as long, in any order.
  @Test func longest() {
    let exact = StayCell()
    exact.record(Stay(nanoseconds: 500, kind: .exact))
    let bound = StayCell()
    bound.record(Stay(nanoseconds: 500, kind: .atLeast))
    #expect(bound.summary(of: .established, openNow: 0).longestIsLowerBound)
    for order in [[exact, bound], [bound, exact]] {
      let sum = StayCell()
      for cell in order { sum.merge(cell) }
      let summary = sum.summary(of: .established, openNow: 0)
      #expect(!summary.longestIsLowerBound && summary.totalIsLowerBound && summary.stays == 2)
    }
    bound.record(Stay(nanoseconds: 500, kind: .exact))
    #expect(!bound.summary(of: .established, openNow: 0).longestIsLowerBound)
    let zero = StayCell()
    zero.record(Stay(nanoseconds: 0, kind: .atLeast))
    #expect(zero.summary(of: .established, openNow: 0).longestIsLowerBound)
  }

  /// Quantiles are the same with few or many buckets, merged or not, and within 0.4 % of the sorted truth.
  @Test(arguments: [10, 400, 5_000, 100_000])
  func quantiles(count: Int) {
    var random = SeededGenerator(seed: UInt64(count))
    var values: [UInt64] = []
    var whole = DurationHistogram()
    var merged = DurationHistogram()
    var part = DurationHistogram()
    for index in 0..<count {
      let value = UInt64.random(in: 1...1000, using: &random) << UInt64.random(in: 0...30, using: &random)
      values.append(value)
      whole.record(value)
      if index % 3 == 0 { merged.record(value) } else { part.record(value) }
    }
    merged.merge(part)
    values.sort()
    for quantile in [0.01, 0.5, 0.9, 0.99, 1] {
      let truth = Double(values[max(0, Int((Double(count) * quantile).rounded(.up)) - 1)])
      let found = whole.quantile(quantile) ?? 0
      let again = merged.quantile(quantile)
      #expect(abs(Double(found) / truth - 1) <= 0.004)
      #expect(again == found)
    }
    let sums = (merged.total, merged.longest, merged.count)
    let expected = (whole.total, whole.longest, whole.count)
    #expect(sums == expected)
  }
}
