// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TestSupport
import Testing

@Suite struct OpenSocketsTests {
  private static func row(_ connection: UInt64, _ old: TCPState, _ new: TCPState) -> Transition {
    var row = Transition()
    row.connection = connection
    row.old = old
    row.new = new
    return row
  }

  /// Sockets that go through random states; some close and open again.
  private static func rows(_ count: Int, seed: UInt64) -> [Transition] {
    var random = SeededGenerator(seed: seed)
    var states: [UInt64: TCPState] = [:]
    return (0..<count).map { _ in
      let connection = UInt64.random(in: 1...400, using: &random) * 8
      let new = TCPState(number: .random(in: 1...11, using: &random))
      let isWrong = Int.random(in: 0..<50, using: &random) == 0
      let old = isWrong ? .listen : states[connection] ?? .closed
      states[connection] = new
      var row = row(connection, old, new)
      if Int.random(in: 0..<40, using: &random) == 0 {
        row.old = new
        row.source = .snapshot
      }
      return row
    }
  }

  /// Counts are the same as with a dictionary.
  @Test func counts() {
    let rows = Self.rows(20_000, seed: 5)
    var sockets = OpenSockets()
    var expected: [UInt64: TCPState] = [:]
    for row in rows {
      sockets.apply(row)
      expected[row.connection] = row.new == .closed ? nil : row.new
    }
    let counts = sockets.counts()
    for state in TCPState.all {
      #expect(counts[Int(state.number)] == UInt64(expected.values.count { $0 == state }))
    }
  }

  /// Parts of any size, collected by two folds and combined in order, give the same result as a single fold.
  @Test(arguments: [1, 7, 100, 3_000, 20_000])
  func parts(size: Int) throws {
    var rows = Self.rows(20_000, seed: 6)
    for index in rows.indices {
      rows[index].peer.port = UInt16(rows[index].connection / 8 % 30)
      rows[index].stay = Stay(nanoseconds: UInt64(index), kind: .exact)
    }
    var filter = RowFilter()
    filter.peerPorts = try PortSet(parsing: "1-25")
    var whole = StaySummary(keys: [.remotePort], filter: filter)
    for row in rows { whole.receive(row) }
    let unmatched = whole.sockets.unmatched
    #expect(unmatched > 100)

    var merged = StaySummary(keys: [.remotePort], filter: filter)
    var first = StaySummary(keys: [.remotePort], filter: filter, isPart: true)
    var second = StaySummary(keys: [.remotePort], filter: filter, isPart: true)
    var steps: [SocketStep] = []
    for start in stride(from: 0, to: rows.count, by: size) {
      for row in rows[start..<min(start + size, rows.count)] {
        if start / size % 3 == 0 { first.receive(row) } else { second.receive(row) }
      }
      let groups = start / size % 3 == 0 ? first.tally.groups : second.tally.groups
      if start / size % 3 == 0 { first.exchangeSteps(&steps) } else { second.exchangeSteps(&steps) }
      merged.apply(steps, groups: groups.map { merged.number(of: $0) })
      steps.removeAll()
    }
    merged.mergeStays(first)
    merged.mergeStays(second)

    let found = (merged.sockets.unmatched, merged.transitions)
    #expect(found == (unmatched, whole.transitions))
    func lines(_ summary: borrowing StaySummary) -> Set<String> {
      let open = summary.openNow()
      var lines: Set<String> = []
      for (group, name) in summary.tally.groups.enumerated() {
        for state in TCPState.all {
          let cell = summary.tally.cell(Int32(group), state)
          let now = open[group * TCPState.arraySize + Int(state.number)]
          lines.insert("\(name.first) \(state) \(now) \(cell.map { "\($0.summary(of: state, openNow: now))" } ?? "")")
        }
      }
      return lines
    }
    let (all, expected) = (lines(merged), lines(whole))
    #expect(all == expected)
  }

  @Test func groups() {
    var sockets = OpenSockets()
    sockets.apply(Self.row(1, .closed, .synSent), group: 1)
    sockets.apply(Self.row(1, .synSent, .established), group: 2)
    sockets.apply(Self.row(2, .closed, .listen), group: 1)
    sockets.forget(2)
    sockets.forget(3)
    var open: [Int32] = []
    sockets.forEach { _, group in open.append(group) }
    #expect(open == [2])
    let unmatched = sockets.unmatched
    #expect(unmatched == 0)
  }
}
