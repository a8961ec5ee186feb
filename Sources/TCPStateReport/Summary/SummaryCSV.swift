// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// The result of `summary` as CSV: RFC 4180, one header, one row per group and state.
///
/// In the rows of the groups that aren't listed by themselves the keys are empty and `is_other` is 1.
public struct SummaryCSV {
  private let style: CSVStyle

  public init(style: CSVStyle = CSVStyle()) {
    self.style = style
  }

  public func append(_ lines: SummaryLines, header: Bool, to buffer: inout ByteBuffer) {
    if header {
      for key in lines.keys { buffer.append("\(key.declaration.name),") }
      let fields = SummaryField.allCases.filter { $0 != .isOther || !lines.keys.isEmpty }
      buffer.append(fields.map(\.csvName).joined(separator: ",") + "\n")
    }
    for line in lines.lines { append(line, lines.keys, to: &buffer) }
  }

  /// Appends why connections ended, one row per group and reason.
  public func appendEnds(_ lines: SummaryLines, header: Bool, to buffer: inout ByteBuffer) {
    if header {
      for key in lines.keys { buffer.append("\(key.declaration.name),") }
      let fields = EndField.allCases.filter { $0 != .isOther || !lines.keys.isEmpty }
      buffer.append(fields.map(\.declaration.name).joined(separator: ",") + "\n")
    }
    for line in lines.ends {
      append(line.group, lines.keys, to: &buffer)
      buffer.append("\(line.reason.name),\(line.count)\n")
    }
  }

  private func append(_ group: SummaryGroup?, _ keys: [SummaryKey], to buffer: inout ByteBuffer) {
    for (_, value) in zip(keys, [group?.first ?? .unknown, group?.second ?? .unknown]) {
      append(value, to: &buffer)
      buffer.append(",")
    }
    if !keys.isEmpty { buffer.append(group == nil ? "1," : "0,") }
  }

  private func append(_ line: SummaryLines.Line, _ keys: [SummaryKey], to buffer: inout ByteBuffer) {
    append(line.group, keys, to: &buffer)
    let summary = line.summary
    buffer.append("\(summary.state.name(.openTelemetry)),\(summary.stays)")
    for number in [summary.p50, summary.p90, summary.p99, summary.longest] { append(number, to: &buffer) }
    append(kind: summary.longest.map { _ in summary.longestIsLowerBound }, to: &buffer)
    append(summary.total, to: &buffer)
    append(kind: summary.total.map { _ in summary.totalIsLowerBound }, to: &buffer)
    buffer.append(",\(summary.openNow)")
    append(summary.oldestOpen, to: &buffer)
    append(kind: summary.oldestOpen.map { _ in summary.oldestOpenIsLowerBound }, to: &buffer)
    buffer.append("\n")
  }

  private func append(_ value: SummaryValue, to buffer: inout ByteBuffer) {
    switch value {
    case .unknown: appendNull(to: &buffer)
    case .name(let name):
      var cursor = buffer.cursor(room: NameText.room)
      cursor.put(csv: name, style)
      buffer.commit(cursor)
    case .text, .pod:
      let text = InternedText(SummaryText.machine(value))
      var cursor = buffer.cursor(room: NameText.longRoom)
      cursor.put(csv: text, style)
      buffer.commit(cursor)
    default: buffer.append(SummaryText.machine(value))
    }
  }

  private func append(_ number: UInt64?, to buffer: inout ByteBuffer) {
    buffer.append(",")
    if let number { buffer.append(decimal: number) } else { appendNull(to: &buffer) }
  }

  private func append(kind isLowerBound: Bool?, to buffer: inout ByteBuffer) {
    buffer.append(",")
    guard let isLowerBound else { return appendNull(to: &buffer) }
    buffer.append((isLowerBound ? DurationKind.atLeast : .exact).name)
  }

  private func appendNull(to buffer: inout ByteBuffer) {
    style.null.withUnsafeBytes { buffer.append(bytes: $0) }
  }
}
