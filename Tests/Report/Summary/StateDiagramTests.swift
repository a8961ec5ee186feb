// SPDX-License-Identifier: Apache-2.0
import Foundation
import TCPStateCore
import TCPStateReport
import TestSupport
import Testing

/// The state machine drawn in the terminal.
@Suite struct StateDiagramTests {
  /// Every transition of the figure, each one more often than the one before, and some that aren't in it.
  private static func summary(times: Int = 1, stay: UInt64 = 1_200_000) -> StaySummary {
    var summary = StaySummary(keys: [], filter: RowFilter(), countsMoves: true)
    func receive(_ old: TCPState, _ new: TCPState, _ count: Int, in summary: inout StaySummary) {
      for number in 0..<count {
        var row = Transition()
        (row.connection, row.old, row.new, row.time) = (UInt64(number) + 1, old, new, UInt64(number) + 1)
        if old != .closed { row.stay = Stay(nanoseconds: stay * UInt64(number + 1), kind: .exact) }
        summary.receive(row)
      }
    }
    for (index, arrow) in StateMachine.arrows.enumerated() {
      receive(arrow.move.old, arrow.move.new, (index + 1) * times, in: &summary)
    }
    receive(.established, .closed, 7, in: &summary)
    receive(.synReceived, .closed, 2, in: &summary)
    receive(TCPState(number: 14), .closed, 1, in: &summary)
    return summary
  }

  private static func text(_ summary: borrowing StaySummary, _ style: TableStyle) -> String {
    var buffer = ByteBuffer()
    StateDiagram(summary, style: style).append(to: &buffer)
    return buffer.text
  }

  /// It takes 80 columns whatever the numbers, and is ASCII where it has to be.
  @Test(arguments: [1, 211], [true, false]) func fits(_ times: Int, _ isASCII: Bool) {
    let summary = Self.summary(times: times, stay: 3_599_000_000_000 / 211)
    let text = Self.text(summary, TableStyle(width: 80, glyphs: isASCII ? .ascii : .unicode))
    for line in text.split(separator: "\n").prefix(41) { #expect(line.count <= 80, "\(line)") }
    for state in TCPState.all { #expect(text.contains(" \(state.name(.rfc)) ")) }
    #expect(text.utf8.allSatisfy { $0 < 0x80 } == isASCII)
    #expect(text.contains(isASCII ? "--->" : "───▶"))
  }

  /// Whatever the numbers, each is there whole: none overwrites another.
  @Test func nothingOverlaps() {
    let text = Self.text(Self.summary(times: 211, stay: 3_599_000_000_000 / 211), TableStyle(width: 80))
    for index in StateMachine.arrows.indices {
      let count = NumberText.string(UInt64((index + 1) * 211))
      #expect(text.contains(" \(count)"), "\(count)")
    }
  }

  /// Figure and table have every transition, and nothing twice.
  @Test func everythingIsThere() {
    let text = Self.text(Self.summary(), TableStyle(width: 80))
    #expect(text.contains("ESTABLISHED → CLOSED") && text.contains("SYN-RECEIVED → CLOSED"))
    #expect(text.contains("unknown states"))
    #expect(text.components(separatedBy: " → ").count == 3)
  }

  /// What the kernel side can't count is unknown, not 0.
  @Test func unknownIsNotZero() {
    let open = [OpenStays](repeating: OpenStays(), count: TCPState.arraySize)
    let text = Self.text(StaySummary(AggregatedStays(), open: open), TableStyle(width: 80))
    #expect(text.contains("The kernel side counts stays per state, not where they led."))
    #expect(text.components(separatedBy: "–").count == StateMachine.arrows.count + 1)
  }

  /// Parts of a recording give what the whole does.
  @Test func parts() {
    func rows(_ range: Range<UInt64>) -> [Transition] {
      range.map { number in
        var row = Transition()
        let arrow = StateMachine.arrows[Int(number * 7 % 18)]
        (row.connection, row.old, row.new, row.time) = (number % 50, arrow.move.old, arrow.move.new, number)
        row.stay = number % 3 == 0 ? nil : Stay(nanoseconds: number * 1_000, kind: number % 5 == 0 ? .atLeast : .exact)
        row.reason = number % 4 == 0 ? .timeout : nil
        return row
      }
    }
    var whole = StaySummary(keys: [.role], filter: RowFilter(), countsMoves: true)
    var merged = StaySummary(keys: [.role], filter: RowFilter(), countsMoves: true)
    for range in [0..<2_000 as Range<UInt64>, 2_000..<5_000] {
      var part = StaySummary(keys: [.role], filter: RowFilter(), isPart: true, countsMoves: true)
      for row in rows(range) {
        whole.receive(row)
        part.receive(row)
      }
      var steps: [SocketStep] = []
      part.exchangeSteps(&steps)
      var groups: [Int32] = []
      for group in part.tally.groups { groups.append(merged.number(of: group)) }
      merged.apply(steps, groups: groups)
      merged.mergeStays(part)
    }
    let (found, expected) = (Self.text(merged, TableStyle()), Self.text(whole, TableStyle()))
    #expect(found == expected)
    let moves = whole.moves.moves
    #expect(moves.count == StateMachine.arrows.count)
    let (foundEnds, ends) = (SummaryLines(merged).ends, SummaryLines(whole).ends)
    #expect(foundEnds.map(\.count) == ends.map(\.count) && ends.map(\.reason) == [.unknown, .timeout])
  }
}
