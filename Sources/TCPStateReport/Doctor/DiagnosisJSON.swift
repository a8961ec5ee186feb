// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// A diagnosis for machines: one JSON object on one line.
public enum DiagnosisJSON {
  /// - Parameter version: of the program.
  public static func append(_ diagnosis: Diagnosis, version: String, to buffer: inout ByteBuffer) {
    buffer.append("{\"version\":")
    append(quoted: version, to: &buffer)
    buffer.append(",\"can_trace\":")
    buffer.append(diagnosis.canTrace ? "true" : "false")
    buffer.append(",\"checks\":[")
    for (index, check) in diagnosis.checks.enumerated() {
      if index > 0 { buffer.append(",") }
      let members = [
        ("name", check.name), ("group", check.group.rawValue), ("status", check.status.rawValue),
        ("found", check.found), ("meaning", check.meaning), ("remedy", check.remedy),
      ]
      for (index, member) in members.enumerated() {
        buffer.append(index == 0 ? "{" : ",")
        append(quoted: member.0, to: &buffer)
        buffer.append(":")
        append(quoted: member.1, to: &buffer)
      }
      buffer.append("}")
    }
    buffer.append("]}\n")
  }

  /// RFC 8259, section 7.
  private static func append(quoted text: String, to buffer: inout ByteBuffer) {
    buffer.append("\"")
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\":
        buffer.append("\\")
        buffer.append(String(scalar))
      case "\u{0}"..<" ":
        let digits = String(scalar.value, radix: 16)
        buffer.append("\\u" + String(repeating: "0", count: 4 - digits.count) + digits)
      default: buffer.append(String(scalar))
      }
    }
    buffer.append("\"")
  }
}
