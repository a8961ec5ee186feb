// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// The closing table of a trace: one line per state, with how often and how long sockets stayed in it.
public struct StateSummaryTable: Sendable {
  private let rows: [StateSummary]
  private let style: TableStyle

  /// - Parameter rows: shown in this order.
  public init(_ rows: [StateSummary], style: TableStyle) {
    self.rows = rows
    self.style = style
  }

  /// Appends the table; a narrow terminal gets fewer columns.
  public func append(to buffer: inout ByteBuffer) {
    var omitted = 0
    var table = table(without: [])
    while let width = style.width, table.width() > width, omitted < Self.dispensable.count {
      omitted += 1
      table = self.table(without: Self.dispensable.prefix(omitted))
    }
    table.append(to: &buffer, color: style.color)
  }

  /// The first goes first.
  private static let dispensable = ["TOTAL", "P50"]

  private func table(without omitted: ArraySlice<String>) -> TextTable {
    let titles = ["STAYS", "P50", "P99", "LONGEST", "TOTAL", "OPEN NOW"]
    let shown = titles.indices.filter { !omitted.contains(titles[$0]) }
    var table = TextTable([("STATE", .left)] + shown.map { (titles[$0], .right) })
    for row in rows {
      let cells = [
        NumberText.string(row.stays),
        duration(row.p50),
        duration(row.p99),
        duration(row.longest, isLowerBound: row.longestIsLowerBound),
        duration(row.total, isLowerBound: row.totalIsLowerBound),
        NumberText.string(row.openNow),
      ]
      table.add([row.state.name(.rfc)] + shown.map { cells[$0] }, color: StateColor.of(row.state))
    }
    return table
  }

  private func duration(_ nanoseconds: UInt64?, isLowerBound: Bool = false) -> String {
    guard let nanoseconds else { return style.glyphs.unknown.description }
    return DurationText.string(
      nanoseconds, kind: isLowerBound ? .atLeast : .exact, glyphs: style.glyphs)
  }
}
