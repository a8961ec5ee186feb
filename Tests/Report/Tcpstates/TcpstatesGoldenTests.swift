// SPDX-License-Identifier: Apache-2.0
import Foundation
import TCPStateCore
import TCPStateReport
import TestSupport
import Testing

/// BCC's formats are reproduced byte for byte.
@Suite struct TcpstatesGoldenTests {
  enum Format: String, CaseIterable, Sendable {
    case plain = "tcpstates.txt"
    case wide = "tcpstates-wide.txt"
    case timed = "tcpstates-timed.txt"
    case csv = "tcpstates.csv"
    case csvTimed = "tcpstates-timed.csv"

    var style: TcpstatesStyle {
      var style = TcpstatesStyle()
      style.utc = true
      style.csv = self == .csv || self == .csvTimed
      style.wide = self == .wide
      style.time = self == .timed || self == .csvTimed
      style.timestamp = style.time
      return style
    }

    func render(_ rows: [Transition]) -> ByteBuffer {
      var buffer = ByteBuffer(capacity: 64)
      var writer = TcpstatesWriter(style: style)
      writer.appendHeader(to: &buffer)
      for row in rows { writer.append(row, socket: row.socketAddress, to: &buffer) }
      return buffer
    }
  }

  @Test(arguments: SampleTransitions.allCases, Format.allCases)
  func rendering(_ sample: SampleTransitions, _ format: Format) throws {
    let actual = format.render(sample.rows).withBytes { Data($0) }
    if let difference = try Golden("\(sample.rawValue)/\(format.rawValue)").difference(from: actual) {
      Issue.record(Comment(rawValue: difference))
    }
  }

  /// Every line has as many cells as the header, whatever the name.
  @Test(arguments: SampleTransitions.allCases, [Format.csv, .csvTimed])
  func cells(_ sample: SampleTransitions, _ format: Format) throws {
    let table = try CSVTable(format.render(sample.rows).withBytes { Array($0) })
    #expect(table.rows.count == sample.rows.count)
    for (row, shown) in zip(sample.rows, table.rows) where row.ownerName.bytes.allSatisfy({ $0 < 0x80 }) {
      #expect(shown["C-COMM"] == row.ownerName.description)
    }
  }

  /// The columns are those of `printf` for the same values.
  @Test(arguments: [false, true])
  func printf(_ wide: Bool) throws {
    let style = wide ? Format.wide : .plain
    let lines = style.render(SampleTransitions.oneConnection.rows).text.split(separator: "\n")
    let formats =
      wide
      ? ("%-16s %-5s %-16.16s %-2s %-39s %-5s %-39s %-5s %-11s -> %-11s %s", ["4"])
      : ("%-16s %-5s %-10.10s %s%-15s %-5s %-15s %-5s %-11s -> %-11s %s", [""])
    for (index, row) in SampleTransitions.oneConnection.rows.enumerated() {
      let span = try row.stay.map { stay in
        try run(["%.3f", "\(Double(stay.nanoseconds / 1000) / 1000)"])
      }
      let cells =
        [
          row.socketAddress.map { String($0, radix: 16) } ?? "00000000000a3f11", "\(try #require(row.ownerPID))",
          row.ownerName.description,
        ]
        + formats.1 + [
          AddressText.string(row.local.address), "\(row.local.port)", AddressText.string(row.peer.address),
          "\(row.peer.port)", row.old.name(.kernel), row.new.name(.kernel), span ?? "-",
        ]
      #expect(String(lines[index + 1]) == (try run([formats.0] + cells)))
    }
    let header = ["SKADDR", "C-PID", "C-COMM", wide ? "IP" : "", "LADDR", "LPORT", "RADDR", "RPORT"]
    #expect(String(lines[0]) == (try run([formats.0] + header + ["OLDSTATE", "NEWSTATE", "MS"])))
  }

  private func run(_ arguments: [String]) throws -> String {
    try ChildProcess.run(["/usr/bin/printf"] + arguments).outputText
  }

  @Test func spansAreTruncatedToMicroseconds() {
    var row = SampleTransitions.oneConnection.rows[1]
    for (nanoseconds, text) in [
      (0, "0.000"), (999, "0.000"), (1_999, "0.001"), (12_345_678, "12.345"), (60_000_000_000, "60000.000"),
    ] as [(UInt64, String)] {
      row.stay = Stay(nanoseconds: nanoseconds, kind: .exact)
      #expect(Format.csv.render([row]).text.hasSuffix(",\(text)\n"))
    }
    row.stay = Stay(nanoseconds: 5_000_000, kind: .atLeast)
    #expect(Format.csv.render([row]).text.hasSuffix(",ESTABLISHED,\n"))
    #expect(Format.plain.render([row]).text.hasSuffix("ESTABLISHED -\n"))
  }

  /// A row that is written late may be before the first.
  @Test func timestampsMayBeNegative() {
    var rows = Array(SampleTransitions.oneConnection.rows.prefix(2))
    rows[1].time = rows[0].time - 1_500_000
    #expect(Format.csvTimed.render(rows).text.contains(",-0.001500,"))
  }
}
