// SPDX-License-Identifier: Apache-2.0
import Foundation
import TCPStateCore
import TCPStateReport
import TestSupport
import Testing

/// `summary` of many processes, on terminals of many widths.
@Suite struct SummaryWidthTests {
  /// Stays of several processes, one with a hostile name, and sockets that stay open.
  private static func summary(_ keys: [SummaryKey]) -> StaySummary {
    var random = SeededGenerator(seed: 3)
    var summary = StaySummary(keys: keys, filter: RowFilter())
    let names = ["nginx", "curl", "\u{1b}[31m,\"x\"", "", "a name of 15 b"]
    let way: [TCPState] = [.closed, .synSent, .established, .closeWait, .lastAck, .closed]
    for connection in 1...200 as ClosedRange<UInt64> {
      for step in 0..<(connection % 7 == 0 ? 3 : 5) {
        var row = Transition()
        row.connection = connection
        row.role = .client
        row.ownerName = ShortName(names[Int(connection) % names.count])
        row.peer = Endpoint(address: IPAddress(high: 0x2001_0db8 << 32, low: connection % 3), port: 443)
        row.old = way[step]
        row.new = way[step + 1]
        let length = UInt64.random(in: 1...1000, using: &random) << UInt64(step * 9)
        let kind: DurationKind = connection % 20 == 0 ? .atLeast : .exact
        if step > 0 { row.stay = Stay(nanoseconds: length, kind: kind) }
        summary.receive(row)
      }
    }
    return summary
  }

  private static func check(_ name: String, _ write: (inout ByteBuffer) -> Void) throws {
    var buffer = ByteBuffer()
    write(&buffer)
    let text = Data(buffer.text.utf8)
    #expect(try Golden("summary-groups/\(name)").difference(from: text) == nil)
  }

  @Test(arguments: [nil, 100, 80, 60] as [Int?])
  func table(width: Int?) throws {
    for (name, keys) in [("state", []), ("process", [.process]), ("both", [.process, .peer])]
      as [(String, [SummaryKey])]
    {
      let lines = SummaryLines(Self.summary(keys), top: 3)
      try Self.check("\(name)-\(width.map(String.init) ?? "piped").txt") { buffer in
        SummaryTable(lines, style: TableStyle(width: width)).append(to: &buffer)
      }
    }
  }

  @Test func histograms() throws {
    let lines = SummaryLines(Self.summary([.process]), top: 1)
    try Self.check("histogram.txt") { buffer in
      SummaryTable(lines, style: TableStyle()).appendHistograms(to: &buffer, isWhole: true)
    }
    try Self.check("histogram-ascii.txt") { buffer in
      SummaryTable(lines, style: TableStyle(width: 60, glyphs: .ascii)).appendHistograms(to: &buffer, isWhole: true)
    }
  }

  /// One line per state, in ASCII where it has to be; a stay is always seen.
  @Test func histogramLines() {
    let lines = SummaryLines(Self.summary([.process]), top: 2)
    let shown = lines.lines.filter { $0.summary.stays > 0 }
    for glyphs in [Glyphs.unicode, .ascii] {
      var buffer = ByteBuffer()
      SummaryTable(lines, style: TableStyle(width: 100, glyphs: glyphs)).appendHistograms(to: &buffer, isWhole: false)
      let rows = buffer.text.split(separator: "\n").dropFirst()
      #expect(rows.count == shown.count)
      for (row, line) in zip(rows, shown) {
        #expect(row.contains(line.summary.state.name(.rfc)) && row.contains(NumberText.string(line.summary.stays)))
        #expect(row.contains { "▁▂▃▄▅▆▇█.:-=+*#@".contains($0) })
        #expect(row.count <= 100)
      }
    }
    var ascii = ByteBuffer()
    SummaryTable(lines, style: TableStyle(width: 60, glyphs: .ascii)).appendHistograms(to: &ascii, isWhole: false)
    #expect(ascii.text.utf8.allSatisfy { $0 < 0x80 })
  }

  /// No line is wider than the terminal.
  @Test(arguments: [60, 80, 100, 160])
  func fits(width: Int) {
    for keys in [[], [.process], [.process, .peer]] as [[SummaryKey]] {
      var buffer = ByteBuffer()
      let table = SummaryTable(SummaryLines(Self.summary(keys)), style: TableStyle(width: width))
      table.append(to: &buffer)
      table.appendHistograms(to: &buffer, isWhole: false)
      EndsTable(SummaryLines(Self.summary(keys)), style: TableStyle(width: width)).append(to: &buffer)
      for line in buffer.text.split(separator: "\n") where !line.hasPrefix("PROCESS ") {
        #expect(line.count <= width, "\(line)")
      }
    }
  }
}
