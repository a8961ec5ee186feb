// SPDX-License-Identifier: Apache-2.0

/// Foreign text for a terminal.
public enum TerminalText {
  /// The text with control and formatting characters as `\x1b` and `\u202e`, so that none is sent.
  public static func visible(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: \.isUnsafeOnTerminal) else { return text }
    var result = ""
    for scalar in text.unicodeScalars {
      guard scalar.isUnsafeOnTerminal else {
        result.unicodeScalars.append(scalar)
        continue
      }
      let digits = String(scalar.value, radix: 16)
      let width = scalar.value < 0x80 ? 2 : 4
      result += (width == 2 ? "\\x" : "\\u") + String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    return result
  }
}
