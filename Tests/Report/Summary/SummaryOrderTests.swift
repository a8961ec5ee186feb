// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TCPStateReport
import Testing

/// Which groups `summary` shows first.
@Suite struct SummaryOrderTests {
  private static let minute: UInt64 = 60_000_000_000

  /// A minute-long recording of a machine where one process has a leak, one is busy, one keeps idle connections, and one
  /// listens.
  private static func lines(top: Int = .max, leakAge: UInt64 = 25 * minute, until end: UInt64 = 100 * minute)
    -> SummaryLines
  {
    var summary = StaySummary(keys: [.process], filter: RowFilter())
    func receive(
      _ process: String, _ connection: UInt64, _ old: TCPState, _ new: TCPState, at time: UInt64, stay: UInt64? = nil
    ) {
      var row = Transition()
      (row.connection, row.old, row.new, row.time) = (connection, old, new, time)
      row.ownerName = ShortName(process)
      row.stay = stay.map { Stay(nanoseconds: $0, kind: .exact) }
      summary.receive(row)
    }
    receive("idle", 1, .synSent, .established, at: 1)
    receive("idle", 2, .synSent, .established, at: 1)
    receive("listener", 3, .closed, .listen, at: 1)
    receive("leaky", 4, .established, .closeWait, at: end - leakAge)
    receive("busy", 5, .established, .closed, at: end, stay: 150 * minute)
    return SummaryLines(summary, top: top)
  }

  private static func names(_ lines: SummaryLines) -> [String] {
    lines.lines.compactMap { line in
      guard case .name(let name) = line.group?.first else { return nil }
      return name.description
    }
  }

  @Test func leakFirst() {
    #expect(Self.names(Self.lines()) == ["leaky", "idle", "busy", "listener"])
    #expect(Self.names(Self.lines(top: 1)) == ["leaky"])
  }

  /// What is open counts with the time that it has taken so far; a listener doesn't.
  @Test func openStaysCount() {
    let names = Self.names(Self.lines(leakAge: 59_000_000_000))
    #expect(names == ["idle", "busy", "leaky", "listener"], "not long enough for a leak")
  }

  @Test func oldest() throws {
    let lines = Self.lines()
    let line = try #require(lines.lines.first)
    #expect(line.summary.oldestOpen == 25 * Self.minute && !line.summary.oldestOpenIsLowerBound)
    var csv = ByteBuffer()
    SummaryCSV().append(lines, header: true, to: &csv)
    let rows = csv.text.split(separator: "\n")
    #expect(rows[0].hasSuffix(",open_now,oldest_open_ns,oldest_open_kind"))
    #expect(rows[1].hasSuffix(",1,1500000000000,exact"))
    #expect(rows.contains { $0.hasPrefix("busy,") && $0.hasSuffix(",0,,") }, "nothing is open, so nothing is old")
    var json = ByteBuffer()
    SummaryJSON().append(lines, to: &json)
    #expect(
      json.text.contains(
        "\"tcp.open_now\":\"1\",\"tcp.oldest_open_ns\":\"1500000000000\",\"tcp.oldest_open_kind\":\"exact\"}"))
    var table = ByteBuffer()
    SummaryTable(lines, style: TableStyle()).append(to: &table)
    #expect(table.text.split(separator: "\n")[1].hasSuffix("25 m 0 s"))
  }
}
