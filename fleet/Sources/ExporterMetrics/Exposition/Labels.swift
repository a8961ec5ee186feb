// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TCPStateReport

/// The labels of one series, rendered: `process="nginx",state="close_wait"`.
package struct Labels: Sendable {
  package let text: String

  package static let none = Labels([:])

  /// - Parameter pairs: names that need no escaping, and any values.
  package init(_ pairs: KeyValuePairs<String, String>) {
    text = pairs.map { "\($0)=\"\(Self.escape($1))\"" }.joined(separator: ",")
  }

  /// Escapes a label's value: backslash, quote and line feed, in both formats (exposition formats, "Text format
  /// details"; OpenMetrics 1.0, section "Escaping").
  static func escape(_ value: String) -> String {
    guard value.utf8.contains(where: { $0 == 0x5c || $0 == 0x22 || $0 == 0x0a }) else { return value }
    var result = ""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"
      case "\"": result += "\\\""
      case "\n": result += "\\n"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// A process's name as a label's value.
  ///
  /// The process chooses it, so control characters and bytes that aren't UTF-8 are shown as `\x1b`: no client that prints
  /// the page passes them to a terminal.
  static func value(of name: ShortName) -> String {
    name.isEmpty ? unknown : NameText.visibleString(name)
  }

  /// For what is beyond a limit.
  static let other = "other"
  /// For a process that isn't known.
  static let unknown = "(unknown)"
  /// For sockets that no process holds any more.
  static let nobody = "(none)"
}
