import TCPStateCore

/// What `stuck` has found as JSON Lines: an object a socket; unknown fields are left out.
public struct StuckJSON: Sendable {
  public init() {}

  /// - Parameters:
  ///   - time: when that was, nanoseconds since the epoch.
  ///   - cgroups: paths by id.
  public func append(
    _ socket: StuckSocket, _ event: StuckEvent = .found, time: UInt64, cgroups: [UInt64: String],
    to buffer: inout ByteBuffer
  ) {
    let values = StuckValues(time: time, cgroups: cgroups, event: event)
    buffer.append("{")
    var isFirst = true
    for field in StuckField.allCases {
      let value = values.value(field, of: socket)
      if case .unknown = value { continue }
      if !isFirst { buffer.append(",") }
      isFirst = false
      buffer.append("\"\(field.jsonName)\":")
      append(value, to: &buffer)
    }
    buffer.append("}\n")
  }

  private func append(_ value: StuckValue, to buffer: inout ByteBuffer) {
    switch value {
    case .unknown: break
    case .number(let number): buffer.append(decimal: number)
    case .wide(let number): buffer.append("\"\(number)\"")
    case .word(let text): buffer.append("\"\(text)\"")
    case .text(let text): Self.append(quoted: text, to: &buffer)
    case .holders(let holders):
      buffer.append("[")
      for (index, holder) in holders.enumerated() {
        if index > 0 { buffer.append(",") }
        buffer.append("{\"process.pid\":\(holder.pid),\"process.executable.name\":")
        Self.append(quoted: holder.name.description, to: &buffer)
        buffer.append(",\"fd\":\(holder.descriptor)}")
      }
      buffer.append("]")
    }
  }

  /// RFC 8259, section 7; control and formatting characters are escaped too.
  private static func append(quoted text: String, to buffer: inout ByteBuffer) {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case let control where control.isUnsafeOnTerminal:
        let digits = String(control.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    buffer.append(result + "\"")
  }
}
