// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// The sockets that `stuck` found as JSON Lines: one object per socket; unknown fields are absent.
public struct StuckJSON: Sendable {
  private let fields: [StuckField]
  private var values = JSONLinesWriter(columns: [])

  public init(fields: [StuckField] = StuckField.defaults) {
    self.fields = fields
  }

  /// - Parameters:
  ///   - time: when `event` happened, nanoseconds since the epoch.
  ///   - cgroups: paths by cgroup id.
  public mutating func append(
    _ socket: StuckSocket, _ event: StuckEvent = .found, time: UInt64, cgroups: [UInt64: String],
    to buffer: inout ByteBuffer
  ) {
    buffer.append("{")
    var isFirst = true
    StuckValues(time: time, cgroups: cgroups, event: event).forEach(fields, of: socket) { field, value in
      if case .field(.unknown) = value { return }
      if !isFirst { buffer.append(",") }
      isFirst = false
      buffer.append("\"\(field.jsonName)\":")
      append(value, to: &buffer)
    }
    buffer.append("}\n")
  }

  private mutating func append(_ value: StuckValue, to buffer: inout ByteBuffer) {
    switch value {
    case .field(let value): values.append(value: value, to: &buffer)
    case .word(let text): buffer.append("\"\(text)\"")
    case .text(let text): Self.append(quoted: text, to: &buffer)
    case .holders(let holders):
      buffer.append("[")
      for (index, holder) in holders.enumerated() {
        if index > 0 { buffer.append(",") }
        buffer.append("{\"process.pid\":\(holder.pid),\"process.executable.name\":")
        Self.append(quoted: holder.name.description, to: &buffer)
        if let descriptor = holder.descriptor { buffer.append(",\"fd\":\(descriptor)") }
        buffer.append("}")
      }
      buffer.append("]")
    }
  }

  /// Escapes as RFC 8259, section 7, asks, and control and formatting characters too.
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
