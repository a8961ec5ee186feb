// SPDX-License-Identifier: Apache-2.0
import Foundation
import TCPStateCore
import TCPStateReport
import TestSupport
import Testing

/// What `summary` shows of the samples: ungrouped, by one key and by two; as a table with histograms, as CSV
/// and as JSON Lines.
@Suite struct SummaryGoldenTests {
  /// The samples' connections, each with an id of its own, and stays of many lengths.
  private static func lines(_ keys: [SummaryKey], top: Int = .max) -> SummaryLines {
    var summary = StaySummary(keys: keys, filter: RowFilter())
    for (number, sample) in [SampleTransitions.oneConnection, .ipv6, .hostileNames, .endings].enumerated() {
      for var row in sample.rows {
        row.connection += UInt64(number) << 32
        summary.receive(row)
      }
    }
    // ESTABLISHED for 1 µs, 3 µs, 9 µs … each with one more stay than the one before.
    var length: UInt64 = 1_000
    for count in 1...12 {
      for _ in 0..<count {
        var row = SampleTransitions.oneConnection.rows[2]
        row.connection = 1 << 40
        row.stay = Stay(nanoseconds: length, kind: count == 12 ? .atLeast : .exact)
        summary.receive(row)
      }
      length *= 3
    }
    return SummaryLines(summary, top: top)
  }

  private func check(_ name: String, _ buffer: borrowing ByteBuffer) throws {
    if let difference = try Golden("summary-by/\(name)").difference(from: buffer.withBytes { Data($0) }) {
      Issue.record(Comment(rawValue: difference))
    }
  }

  private static let groupings: [(String, [SummaryKey], Int)] = [
    ("state", [], .max), ("process", [.process], 2), ("peer-port", [.peer, .remotePort], .max),
    ("role-cgroup", [.role, .cgroup], 1), ("local-port", [.localPort], .max),
  ]

  @Test(arguments: 0..<5, ["plain", "color", "ascii"]) func table(_ grouping: Int, _ look: String) throws {
    let (name, keys, top) = Self.groupings[grouping]
    var buffer = ByteBuffer()
    let table = SummaryTable(
      Self.lines(keys, top: top),
      style: TableStyle(
        width: look == "plain" ? nil : 100, color: look == "color", utc: true,
        glyphs: look == "ascii" ? .ascii : .unicode))
    table.append(to: &buffer)
    table.appendHistograms(to: &buffer, isWhole: true)
    try check("\(name)-\(look).txt", buffer)
    if look == "ascii" { #expect(buffer.text.utf8.allSatisfy { $0 < 0x80 }) }
    guard look != "color" else { return }
    let unsafe = buffer.text.unicodeScalars.filter { $0 != "\n" && $0.properties.generalCategory == .control }
    #expect(unsafe.isEmpty, "a hostile name reaches the terminal")
  }

  @Test(arguments: 0..<5) func csv(_ grouping: Int) throws {
    let (name, keys, top) = Self.groupings[grouping]
    var buffer = ByteBuffer()
    SummaryCSV(style: CSVStyle(nullText: name == "role-cgroup" ? "NA" : "")).append(
      Self.lines(keys, top: top), header: true, to: &buffer)
    try check("\(name).csv", buffer)
    let table = try CSVTable(buffer.withBytes { Array($0) })
    #expect(!table.isCut && !table.rows.isEmpty)
    if !keys.isEmpty { #expect(table.rows.contains { $0["is_other"] == "1" } == (top < .max)) }
  }

  @Test(arguments: 0..<5) func json(_ grouping: Int) throws {
    let (name, keys, top) = Self.groupings[grouping]
    var buffer = ByteBuffer()
    SummaryJSON().append(Self.lines(keys, top: top), to: &buffer)
    try check("\(name).jsonl", buffer)
    for line in buffer.text.split(separator: "\n") {
      #expect(try JSONSerialization.jsonObject(with: Data(line.utf8)) is [String: Any])
    }
  }

  /// Containers go by their names, else by their ids; pods by both of theirs.
  @Test(arguments: [
    ([SummaryKey.container], "container", ["nginx", String(repeating: "3f2a81c09d114be7", count: 4), ""]),
    ([.pod], "pod", ["default/web-7d9f8c6b54-x2x9k-of-a-very-long-name", "", ""]),
    ([.unit], "unit", ["", "", "app-\\x2dweb@\"1\",é.service"]),
  ])
  func workloads(_ keys: [SummaryKey], _ column: String, _ groups: [String]) throws {
    var summary = StaySummary(keys: keys, filter: RowFilter())
    for row in SampleTransitions.workloads.rows { summary.receive(row) }
    var csv = ByteBuffer()
    SummaryCSV().append(SummaryLines(summary), header: true, to: &csv)
    let rows = try CSVTable(csv.withBytes { Array($0) }).rows
    // A stay belongs to the group of the row that ends it.
    #expect(Set(rows.filter { $0["stays"] != "0" }.map { $0[column] }) == Set(groups.dropFirst()))
    var json = ByteBuffer()
    SummaryJSON().append(SummaryLines(summary), to: &json)
    for line in json.text.split(separator: "\n") {
      #expect(try JSONSerialization.jsonObject(with: Data(line.utf8)) is [String: Any])
    }
    var table = ByteBuffer()
    SummaryTable(SummaryLines(summary), style: TableStyle(width: 100, color: false, utc: true, glyphs: .unicode))
      .append(to: &table)
    #expect(table.text.contains("3f2a81c09d11") == (column == "container"))
    #expect(!table.text.contains("3f2a81c09d114"), "an id is shown as people write it")
  }

  /// Why connections ended: the same in all formats and, added up, for all groupings.
  @Test(arguments: 0..<5) func ends(_ grouping: Int) throws {
    let (_, keys, top) = Self.groupings[grouping]
    let lines = Self.lines(keys, top: top)
    let all = Self.lines([]).ends
    #expect(all.count > 1 && lines.ends.reduce(0) { $0 + $1.count } == all.reduce(0) { $0 + $1.count })
    var csv = ByteBuffer()
    SummaryCSV().appendEnds(lines, header: true, to: &csv)
    let rows = try CSVTable(csv.withBytes { Array($0) }).rows
    #expect(rows.map { $0["reason"] } == lines.ends.map { $0.reason.name.description })
    #expect(rows.map { $0.number("ends") } == lines.ends.map { $0.count })
    var json = ByteBuffer()
    SummaryJSON().appendEnds(lines, to: &json)
    var schema = ByteBuffer()
    JSONSchema(.ends).append(to: &schema)
    let validator = try SchemaValidator(schema.text)
    let objects = json.text.split(separator: "\n")
    #expect(objects.count == rows.count)
    for object in objects { #expect(try validator.faults(object).isEmpty, "\(object)") }
    var text = ByteBuffer()
    EndsTable(lines, style: TableStyle(width: grouping == 2 ? 40 : 80, glyphs: .ascii)).append(to: &text)
    #expect(text.text.contains("ENDED BY") && text.text.utf8.allSatisfy { $0 < 0x80 })
  }

  /// A service's port is the local one of its servers, and the peer's of its clients.
  @Test func servicePort() {
    var row = SampleTransitions.oneConnection.rows[1]
    (row.local.port, row.peer.port) = (40_000, 443)
    row.role = .client
    #expect(SummaryKey.port.value(of: row) == .number(443))
    row.role = .server
    #expect(SummaryKey.port.value(of: row) == .number(40_000))
    row.role = .unknown
    #expect(SummaryKey.port.value(of: row) == .unknown, "the numbers don't show which end it is")
  }

  /// The number of stays doesn't depend on the grouping.
  @Test func sumsAgree() {
    func stays(_ lines: SummaryLines) -> UInt64 { lines.lines.reduce(0) { $0 + $1.summary.stays } }
    let all = stays(Self.lines([]))
    #expect(all > 78)
    for (name, keys, top) in Self.groupings { #expect(stays(Self.lines(keys, top: top)) == all, "\(name)") }
  }
}
