// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// Why connections ended, for people: one line per reason, or per group and reason.
public struct EndsTable {
  private let lines: SummaryLines
  private let style: TableStyle

  public init(_ lines: SummaryLines, style: TableStyle) {
    self.lines = lines
    self.style = style
  }

  /// Appends the table; nothing if no connection has ended. A group is on the line of its first reason if the terminal
  /// is wide enough, else on a line above.
  public func append(to buffer: inout ByteBuffer, header: Bool = true) {
    guard !lines.ends.isEmpty else { return }
    var table = table(isInline: true)
    if let width = style.width, !lines.keys.isEmpty, table.width(header: header) > width {
      table = self.table(isInline: false)
    }
    table.append(to: &buffer, header: header, color: style.color)
  }

  private func table(isInline: Bool) -> TextTable {
    let keys = isInline ? lines.keys : []
    var table = TextTable(
      keys.map { ($0.title, $0.isNumber ? .right : .left) } + [
        ("ENDED BY", .left), ("SOCKETS", .right), ("SHARE", .right),
      ])
    var last: SummaryGroup?
    for (index, end) in lines.ends.enumerated() {
      let isFirst = index == 0 || end.group != last
      last = end.group
      let group = SummaryText.group(end.group, of: lines, style.glyphs)
      if isFirst, !isInline { table.add(title: SummaryText.title(end.group, of: lines, style.glyphs)) }
      let shown = isFirst ? group : group.map { _ in "" }
      table.add(
        (isInline ? shown : []) + [
          end.reason.words.description, NumberText.string(end.count), SummaryText.share(end.count, of: end.ofAll),
        ])
    }
    return table
  }
}
