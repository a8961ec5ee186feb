// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// The result of `summary` for people: a table, and histograms if wanted.
public struct SummaryTable {
  private let lines: SummaryLines
  private let style: TableStyle

  public init(_ lines: SummaryLines, style: TableStyle) {
    self.lines = lines
    self.style = style
  }

  /// Appends the table. A group is on the line of its first state if the terminal is wide enough, else on
  /// a line above its states; a narrower terminal also gets fewer columns.
  public func append(to buffer: inout ByteBuffer, header: Bool = true) {
    var layout = Layout(isInline: true, omitted: 0)
    var table = table(layout)
    if let width = style.width {
      layout.isInline = lines.keys.isEmpty || table.width(header: header) <= width
      while layout.omitted <= Self.dispensable.count {
        table = self.table(layout)
        if table.width(header: header) <= width { break }
        layout.omitted += 1
      }
    }
    table.append(to: &buffer, header: header, color: style.color)
  }

  /// The columns that a narrow terminal goes without; the first is dropped first.
  private static let dispensable = ["P90", "TOTAL", "LONGEST"]

  private struct Layout {
    var isInline: Bool
    /// How many of `dispensable` are dropped.
    var omitted: Int
  }

  private func table(_ layout: Layout) -> TextTable {
    let omitted = Self.dispensable.prefix(layout.omitted)
    let values = ["STAYS", "P50", "P90", "P99", "LONGEST", "TOTAL", "OPEN NOW", "OLDEST"]
    let shown = values.indices.filter { !omitted.contains(values[$0]) }
    let keys = layout.isInline ? lines.keys : []
    var table = TextTable(
      keys.map { ($0.title, $0.isNumber ? .right : .left) } + [("STATE", .left)] + shown.map { (values[$0], .right) })
    var last: SummaryGroup?
    for (index, line) in lines.lines.enumerated() {
      // A group is named once.
      let isFirst = index == 0 || line.group != last
      last = line.group
      if isFirst, !lines.keys.isEmpty, !layout.isInline {
        table.add(title: SummaryText.title(line.group, of: lines, style.glyphs))
      }
      let group = isFirst ? SummaryText.group(line.group, of: lines, style.glyphs) : lines.keys.map { _ in "" }
      let cells = self.values(of: line.summary)
      table.add(
        (layout.isInline ? group : []) + [line.summary.state.name(.rfc)] + shown.map { cells[$0] },
        color: keys.isEmpty ? StateColor.of(line.summary.state) : nil)
    }
    return table
  }

  /// Appends a histogram of the stays of each line.
  ///
  /// - Parameter isWhole: whether each has a line per range of durations, rather than one line in all.
  public func appendHistograms(to buffer: inout ByteBuffer, isWhole: Bool) {
    guard isWhole else {
      buffer.append("\n")
      return HistogramLines(lines: lines, style: style).append(to: &buffer)
    }
    for line in lines.lines {
      guard let cell = line.cell, cell.counts.histogram.count > 0 else { continue }
      buffer.append("\n")
      let names = SummaryText.group(line.group, of: lines, style.glyphs)
      let title = names.filter { !$0.isEmpty } + [line.summary.state.name(.rfc)]
      buffer.append(title.joined(separator: "  "))
      buffer.append("\n")
      HistogramBars(style: style).append(cell.counts.histogram, to: &buffer)
    }
  }

  private func values(of summary: StateSummary) -> [String] {
    [
      NumberText.string(summary.stays),
      duration(summary.p50),
      duration(summary.p90),
      duration(summary.p99),
      duration(summary.longest, isLowerBound: summary.longestIsLowerBound),
      duration(summary.total, isLowerBound: summary.totalIsLowerBound),
      NumberText.string(summary.openNow),
      duration(summary.oldestOpen, isLowerBound: summary.oldestOpenIsLowerBound),
    ]
  }

  private func duration(_ nanoseconds: UInt64?, isLowerBound: Bool = false) -> String {
    guard let nanoseconds else { return style.glyphs.unknown.description }
    return DurationText.string(nanoseconds, kind: isLowerBound ? .atLeast : .exact, glyphs: style.glyphs)
  }
}
