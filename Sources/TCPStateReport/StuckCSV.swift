import TCPStateCore

/// What `stuck` has found as CSV: RFC 4180, one header, a row a socket.
public struct StuckCSV: Sendable {
  private let style: CSVStyle

  public init(style: CSVStyle = CSVStyle()) {
    self.style = style
  }

  public func appendHeader(to buffer: inout ByteBuffer) {
    buffer.append(StuckField.allCases.map(\.rawValue).joined(separator: ","))
    buffer.append("\n")
  }

  /// - Parameters:
  ///   - time: when that was, nanoseconds since the epoch.
  ///   - cgroups: paths by id.
  public func append(
    _ socket: StuckSocket, _ event: StuckEvent = .found, time: UInt64, cgroups: [UInt64: String],
    to buffer: inout ByteBuffer
  ) {
    let values = StuckValues(time: time, cgroups: cgroups, event: event)
    for (index, field) in StuckField.allCases.enumerated() {
      if index > 0 { buffer.append(UInt8(ascii: ",")) }
      append(values.value(field, of: socket), to: &buffer)
    }
    buffer.append("\n")
  }

  private func append(_ value: StuckValue, to buffer: inout ByteBuffer) {
    switch value {
    case .unknown: style.null.withUnsafeBytes { buffer.append(bytes: $0) }
    case .number(let number), .wide(let number): buffer.append(decimal: number)
    case .word(let text): buffer.append(text)
    case .text(let text): append(foreign: text, to: &buffer)
    case .holders(let holders):
      append(foreign: holders.map { "\($0.name)/\($0.pid):\($0.descriptor)" }.joined(separator: " "), to: &buffer)
    }
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
