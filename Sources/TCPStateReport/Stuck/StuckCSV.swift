// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// The sockets that `stuck` found as CSV: RFC 4180, one header, one row per socket.
public struct StuckCSV {
  private let fields: [StuckField]
  private let style: CSVStyle
  private var cells: CSVWriter

  public init(fields: [StuckField] = StuckField.defaults, style: CSVStyle = CSVStyle()) {
    self.fields = fields
    self.style = style
    cells = CSVWriter(columns: [], style: style)
  }

  public func appendHeader(to buffer: inout ByteBuffer) {
    buffer.append(fields.map(\.csvName).joined(separator: ","))
    buffer.append("\n")
  }

  /// - Parameters:
  ///   - time: when `event` happened, nanoseconds since the epoch.
  ///   - cgroups: paths by cgroup id.
  public mutating func append(
    _ socket: StuckSocket, _ event: StuckEvent = .found, time: UInt64, cgroups: [UInt64: String],
    to buffer: inout ByteBuffer
  ) {
    var isFirst = true
    StuckValues(time: time, cgroups: cgroups, event: event).forEach(fields, of: socket) { _, value in
      if !isFirst { buffer.append(UInt8(ascii: ",")) }
      isFirst = false
      switch value {
      case .field(let value): cells.append(cell: value, to: &buffer)
      case .word(let text): buffer.append(text)
      case .text(let text): append(foreign: text, to: &buffer)
      case .holders(let holders): append(foreign: StuckValue.text(of: holders), to: &buffer)
      }
    }
    buffer.append("\n")
  }

  private func append(foreign text: String, to buffer: inout ByteBuffer) {
    var text = style.terminalSafe ? TerminalText.visible(text) : text
    if style.excelSafe, let first = text.utf8.first, [0x3d, 0x2b, 0x2d, 0x40, 9, 13].contains(first) {
      text = "'" + text
    }
    let needsQuotes =
      text.utf8.contains { [0x22, 0x2c, 0x0a, 0x0d].contains($0) } || text == style.nullText
    guard needsQuotes else { return buffer.append(text) }
    let doubled = text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
    buffer.append("\"\(doubled)\"")
  }
}
