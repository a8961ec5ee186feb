// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TCPStateReport
import TestSupport

/// The ways to render rows that have golden files.
enum Rendering: String, CaseIterable, Sendable {
  case csv = "default.csv"
  case csvAll = "all.csv"
  case csvExcel = "excel-safe.csv"
  case csvTerminal = "terminal.csv"
  case jsonLines = "default.jsonl"
  case jsonLinesAll = "all.jsonl"
  case table60 = "table-60.txt"
  case table80 = "table-80.txt"
  case table100 = "table-100.txt"
  case table120 = "table-120.txt"
  case table160 = "table-160.txt"
  case table200 = "table-200.txt"
  case tablePiped = "table-piped.txt"
  case tableColor = "table-color-120.txt"
  case tableASCII = "table-ascii.txt"

  var width: Int? {
    switch self {
    case .table60: 60
    case .table80: 80
    case .table100: 100
    case .table120, .tableColor: 120
    case .table160: 160
    case .table200: 200
    default: nil
    }
  }

  func render(_ rows: [Transition]) -> ByteBuffer {
    var buffer = ByteBuffer(capacity: 64)
    switch self {
    case .csv: Self.csv(CSVWriter(), rows, &buffer)
    case .csvAll: Self.csv(CSVWriter(columns: Column.allCases), rows, &buffer)
    case .csvExcel:
      Self.csv(CSVWriter(style: CSVStyle(nullText: "NA", excelSafe: true)), rows, &buffer)
    case .csvTerminal: Self.csv(CSVWriter(style: CSVStyle(terminalSafe: true)), rows, &buffer)
    case .jsonLines: Self.json(JSONLinesWriter(), rows, &buffer)
    case .jsonLinesAll: Self.json(JSONLinesWriter(columns: Column.allCases), rows, &buffer)
    case .table60, .table80, .table100, .table120, .table160, .table200, .tablePiped, .tableColor, .tableASCII:
      var table = TimelineTable(
        style: TableStyle(
          width: width, color: self == .tableColor, utc: true,
          glyphs: self == .tableASCII ? .ascii : .unicode))
      table.appendHeader(to: &buffer)
      for row in rows { table.append(row, to: &buffer) }
    }
    return buffer
  }

  private static func csv(_ writer: CSVWriter, _ rows: [Transition], _ buffer: inout ByteBuffer) {
    var writer = writer
    writer.appendHeader(to: &buffer)
    for row in rows { writer.append(row, to: &buffer) }
  }

  private static func json(
    _ writer: JSONLinesWriter, _ rows: [Transition], _ buffer: inout ByteBuffer
  ) {
    var writer = writer
    for row in rows { writer.append(row, to: &buffer) }
  }
}
