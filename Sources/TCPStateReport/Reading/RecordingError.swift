// SPDX-License-Identifier: Apache-2.0

/// Why reading a recording can't go on.
public struct RecordingError: Error, Equatable, CustomStringConvertible {
  /// Number of the line in the file, from 1.
  public let line: UInt64
  /// What is wrong; safe on a terminal.
  public let what: String

  public init(line: UInt64, _ what: String) {
    self.line = line
    self.what = what
  }

  public var description: String { "line \(line): \(what)" }

  /// Foreign bytes for a message: at most 40 of them, control characters as `\x1b`.
  static func quoted(_ bytes: some Collection<UInt8>) -> String {
    var text = ""
    for scalar in String(decoding: bytes.prefix(40), as: UTF8.self).unicodeScalars {
      if scalar.isUnsafeOnTerminal {
        text += "\\x" + String(scalar.value, radix: 16)
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
    return "'\(text)\(bytes.count > 40 ? "…" : "")'"
  }
}
