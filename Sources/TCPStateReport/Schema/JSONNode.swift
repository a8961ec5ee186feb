// SPDX-License-Identifier: Apache-2.0

/// A JSON document that is written for people too: indented, with keys in the order they are given.
indirect enum JSONNode {
  case object([(String, JSONNode)])
  case array([JSONNode])
  case string(String)
  case number(UInt64)
  case bool(Bool)

  static func strings(_ texts: [String]) -> JSONNode { .array(texts.map { .string($0) }) }

  func append(to buffer: inout ByteBuffer, indent: Int = 0) {
    switch self {
    case .object(let members):
      Self.append(members, "{", "}", indent, to: &buffer) { member, buffer in
        Self.append(quoted: member.0, to: &buffer)
        buffer.append(": ")
        member.1.append(to: &buffer, indent: indent + 2)
      }
    case .array(let elements):
      Self.append(elements, "[", "]", indent, to: &buffer) { $0.append(to: &$1, indent: indent + 2) }
    case .string(let text): Self.append(quoted: text, to: &buffer)
    case .number(let number): buffer.append(decimal: number)
    case .bool(let value): buffer.append(value ? "true" : "false")
    }
  }

  private static func append<Element>(
    _ elements: [Element], _ open: StaticString, _ close: StaticString, _ indent: Int, to buffer: inout ByteBuffer,
    _ body: (Element, inout ByteBuffer) -> Void
  ) {
    buffer.append(open)
    for (index, element) in elements.enumerated() {
      buffer.append(index == 0 ? "\n" : ",\n")
      buffer.append(spaces: indent + 2)
      body(element, &buffer)
    }
    if !elements.isEmpty {
      buffer.append("\n")
      buffer.append(spaces: indent)
    }
    buffer.append(close)
  }

  /// Our own text only, which has no control characters.
  private static func append(quoted text: String, to buffer: inout ByteBuffer) {
    buffer.append("\"")
    for scalar in text.unicodeScalars {
      if scalar == "\"" || scalar == "\\" { buffer.append("\\") }
      buffer.append(String(scalar))
    }
    buffer.append("\"")
  }
}
