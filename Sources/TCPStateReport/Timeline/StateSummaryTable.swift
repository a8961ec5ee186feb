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

  public func append(to buffer: inout ByteBuffer) {
    var table = TextTable([
      ("STATE", .left), ("STAYS", .right), ("P50", .right), ("P99", .right),
      ("LONGEST", .right), ("TOTAL", .right), ("OPEN NOW", .right),
    ])
    for row in rows {
      table.add(
        [
          row.state.name(.rfc),
          NumberText.string(row.stays),
          duration(row.p50),
          duration(row.p99),
          duration(row.longest, isLowerBound: row.longestIsLowerBound),
          duration(row.total, isLowerBound: row.totalIsLowerBound),
          NumberText.string(row.openNow),
        ], color: StateColor.of(row.state))
    }
    table.append(to: &buffer, color: style.color)
  }

  private func duration(_ nanoseconds: UInt64?, isLowerBound: Bool = false) -> String {
    guard let nanoseconds else { return style.glyphs.unknown.description }
    return DurationText.string(
      nanoseconds, kind: isLowerBound ? .atLeast : .exact, glyphs: style.glyphs)
  }
}
