// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// JSON inside HTML: in addition to JSON's own escapes `<` is escaped, so that
/// no string can end the script element.
extension ByteBuffer {
  mutating func append(json number: UInt64?) {
    guard let number else { return append("null") }
    append(decimal: number)
  }

  mutating func append(json number: UInt32?) { append(json: number.map { UInt64($0) }) }

  /// Appends `later` minus `earlier`, which may be negative.
  mutating func append(json later: UInt64, since earlier: UInt64) {
    if later < earlier { append(UInt8(ascii: "-")) }
    append(decimal: later < earlier ? earlier - later : later - earlier)
  }

  mutating func append(json text: String?) {
    guard let text else { return append("null") }
    append(UInt8(ascii: "\""))
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": append("\\\"")
      case "\\": append("\\\\")
      case "<": append("\\u003c")
      case _ where scalar.isUnsafeOnTerminal:
        append("\\u" + String(repeating: "0", count: scalar.value < 0x10 ? 3 : scalar.value < 0x100 ? 2 : 0))
        append(String(scalar.value, radix: 16))
      default:
        var cursor = cursor(room: 4 + 32)
        cursor.put(scalar)
        commit(cursor)
      }
    }
    append(UInt8(ascii: "\""))
  }

  /// Appends a name as terminals show it, with `\x1b` for a control character, or null if it is empty.
  ///
  /// Bytes that aren't UTF-8 are replaced as in a recording, so that live and recorded data look the same.
  mutating func append(json name: ShortName) {
    guard !name.isEmpty else { return append("null") }
    if name.isPlain, !name.bytes.contains(UInt8(ascii: "<")) {
      append(UInt8(ascii: "\""))
      NameText.append(visible: name, to: &self)
      append(UInt8(ascii: "\""))
    } else {
      append(json: NameText.visibleString(ShortName(name.description)))
    }
  }

  mutating func appendNull() { append("null") }
}
