import TCPStateCore

/// What `summary` shows people: a table, with bars below each line if wanted.
public struct SummaryTable {
  private let lines: SummaryLines
  private let style: TableStyle

  public init(_ lines: SummaryLines, style: TableStyle) {
    self.lines = lines
    self.style = style
  }

  public func append(to buffer: inout ByteBuffer, header: Bool = true) {
    var table = TextTable(
      lines.keys.map { ($0.title, $0.isNumber ? .right : .left) } + [
        ("STATE", .left), ("STAYS", .right), ("P50", .right), ("P90", .right), ("P99", .right),
        ("LONGEST", .right), ("TOTAL", .right), ("OPEN NOW", .right),
      ])
    var last: SummaryGroup?
    for (index, line) in lines.lines.enumerated() {
      // Once is enough for a group.
      let isFirst = index == 0 || line.group != last
      last = line.group
      table.add(cells(of: line, isFirst), color: lines.keys.isEmpty ? StateColor.of(line.summary.state) : nil)
    }
    table.append(to: &buffer, header: header, color: style.color)
  }

  /// The stays of each line by their length, drawn.
  public func appendHistograms(to buffer: inout ByteBuffer) {
    for line in lines.lines {
      guard let cell = line.cell, cell.histogram.count > 0 else { continue }
      buffer.append("\n")
      let names = lines.keys.isEmpty ? [] : group(line) + [""]
      let title = names.filter { !$0.isEmpty } + [line.summary.state.name(.rfc)]
      buffer.append(title.joined(separator: "  "))
      buffer.append("\n")
      HistogramBars(style: style).append(cell.histogram, to: &buffer)
    }
  }

  private func cells(of line: SummaryLines.Line, _ isFirst: Bool) -> [String] {
    let summary = line.summary
    return (isFirst ? group(line) : lines.keys.map { _ in "" }) + [
      summary.state.name(.rfc),
      NumberText.string(summary.stays),
      duration(summary.p50),
      duration(summary.p90),
      duration(summary.p99),
      duration(summary.longest, isLowerBound: summary.longestIsLowerBound),
      duration(summary.total, isLowerBound: summary.totalIsLowerBound),
      NumberText.string(summary.openNow),
    ]
  }

  private func group(_ line: SummaryLines.Line) -> [String] {
    guard let group = line.group else {
      guard !lines.keys.isEmpty else { return [] }
      let name = lines.others > 0 ? "\(NumberText.string(UInt64(lines.others))) others" : "others"
      return [name] + lines.keys.dropFirst().map { _ in "" }
    }
    return zip(lines.keys, [group.first, group.second]).map { SummaryText.visible($1, style.glyphs) }
  }

  private func duration(_ nanoseconds: UInt64?, isLowerBound: Bool = false) -> String {
    guard let nanoseconds else { return style.glyphs.unknown.description }
    return DurationText.string(nanoseconds, kind: isLowerBound ? .atLeast : .exact, glyphs: style.glyphs)
  }
}
