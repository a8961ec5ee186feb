// SPDX-License-Identifier: Apache-2.0
import Glibc
import TCPStateReport

/// What is known of the terminal.
enum Terminal {
  /// Its columns; `nil` if it doesn't report them.
  static func width(of descriptor: Int32) -> Int? {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
  }

  /// What fits one line of the terminal that standard error is.
  static func oneLine(_ text: String) -> String {
    FittedText.cut(text, to: max(1, (width(of: 2) ?? 80) - 1), .ofLocale)
  }

  /// Its lines; `nil` if it doesn't report them.
  static func height(of descriptor: Int32) -> UInt16? {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0 else { return nil }
    return size.ws_row
  }

  /// ASCII for a terminal whose locale isn't UTF-8 (locale(7)); files are UTF-8.
  static func glyphs(_ isTerminal: Bool) -> Glyphs {
    guard isTerminal else { return .unicode }
    for name in ["LC_ALL", "LC_CTYPE", "LANG"] {
      guard let value = getenv(name), value.pointee != 0 else { continue }
      let text = String(cString: value).lowercased()
      return text.contains("utf-8") || text.contains("utf8") ? .unicode : .ascii
    }
    return .ascii
  }
}
