// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// The result of `summary` as JSON Lines: one object per group and state. Unknown values are absent,
/// and 64-bit numbers are strings.
public struct SummaryJSON {
  public init() {}

  public func append(_ lines: SummaryLines, to buffer: inout ByteBuffer) {
    for line in lines.lines { append(line, lines.keys, to: &buffer) }
  }

  /// Appends why connections ended, one object per group and reason.
  public func appendEnds(_ lines: SummaryLines, to buffer: inout ByteBuffer) {
    for line in lines.ends {
      buffer.append("{")
      append(line.group, lines.keys, to: &buffer)
      buffer.append("\"\(EndField.reason.declaration.jsonName)\":\"\(line.reason.name)\"")
      buffer.append(",\"\(EndField.ends.declaration.jsonName)\":\"\(line.count)\"}\n")
    }
  }

  private func append(_ group: SummaryGroup?, _ keys: [SummaryKey], to buffer: inout ByteBuffer) {
    if let group {
      for (key, value) in zip(keys, [group.first, group.second]) where value != .unknown {
        buffer.append("\"\(key.declaration.jsonName)\":")
        append(value, key, to: &buffer)
        buffer.append(",")
      }
    } else if !keys.isEmpty {
      buffer.append("\"\(SummaryField.isOther.jsonName)\":true,")
    }
  }

  private func append(_ line: SummaryLines.Line, _ keys: [SummaryKey], to buffer: inout ByteBuffer) {
    let summary = line.summary
    buffer.append("{")
    append(line.group, keys, to: &buffer)
    buffer.append("\"\(SummaryField.state.jsonName)\":\"\(summary.state.name(.openTelemetry))\"")
    buffer.append(",\"\(SummaryField.stays.jsonName)\":\"\(summary.stays)\"")
    let durations: [(SummaryField, UInt64?)] = [
      (.p50, summary.p50), (.p90, summary.p90), (.p99, summary.p99), (.longest, summary.longest),
      (.total, summary.total),
    ]
    for (field, duration) in durations {
      if let duration { buffer.append(",\"\(field.jsonName)\":\"\(duration)\"") }
    }
    if summary.longest != nil {
      buffer.append(",\"\(SummaryField.longestKind.jsonName)\":\"\(Self.kind(summary.longestIsLowerBound))\"")
      buffer.append(",\"\(SummaryField.totalKind.jsonName)\":\"\(Self.kind(summary.totalIsLowerBound))\"")
    }
    buffer.append(",\"\(SummaryField.openNow.jsonName)\":\"\(summary.openNow)\"")
    if let oldest = summary.oldestOpen {
      buffer.append(",\"\(SummaryField.oldestOpen.jsonName)\":\"\(oldest)\"")
      buffer.append(
        ",\"\(SummaryField.oldestOpenKind.jsonName)\":\"\(Self.kind(summary.oldestOpenIsLowerBound))\"")
    }
    buffer.append("}\n")
  }

  private static func kind(_ isLowerBound: Bool) -> StaticString {
    (isLowerBound ? DurationKind.atLeast : .exact).name
  }

  private func append(_ value: SummaryValue, _ key: SummaryKey, to buffer: inout ByteBuffer) {
    guard case .name(let name) = value else {
      let text = SummaryText.machine(value)
      if case .text = value { return buffer.append(json: text) }
      if case .pod = value { return buffer.append(json: text) }
      return buffer.append(key.isPort ? text : "\"\(text)\"")
    }
    var cursor = buffer.cursor(room: NameText.room + 2)
    cursor.put(UInt8(ascii: "\""))
    cursor.put(json: name)
    cursor.put(UInt8(ascii: "\""))
    buffer.commit(cursor)
  }
}
