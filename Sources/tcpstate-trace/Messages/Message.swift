// SPDX-License-Identifier: Apache-2.0
import Glibc
import Synchronization
import TCPStateLive
import TCPStateProgram
import TCPStateReport

/// Lines for people, on standard error; standard output is for the data alone.
enum Message {
  static func error(_ text: String) {
    line("tcpstate-trace: \(text)")
  }

  /// Lines written so far, for code that keeps a picture on the same terminal.
  private static let written = Atomic<Int>(0)
  static var lines: Int { written.load(ordering: .relaxed) }

  static func report(_ notices: [LiveNotice]) {
    for notice in notices { error(NoticeText.string(notice)) }
  }

  static func line(_ text: String) {
    this.withLock { $0.write($0.takeStatus() + shown(text) + "\n") }
    written.add(1, ordering: .relaxed)
  }

  /// Opens what the first message would open.
  static func prepare() { this.withLock { _ = $0.open() } }

  /// The last words, whole lines: a reader that is only slow is waited for longer.
  static func closing(_ text: String) {
    this.withLock { $0.write($0.takeStatus() + shown(text), patience: 2000) }
  }

  /// Whether standard error is a terminal on which a line can be rewritten.
  static let canShowStatus = isatty(2) == 1 && getenv("TERM").map { String(cString: $0) } != "dumb"

  /// Shows a line that the next one of its kind, or the next message, takes the place of.
  ///
  /// - Parameter text: in one line of the terminal: one that the terminal breaks can't be rewritten.
  static func status(_ text: String) {
    this.withLock { $0.write("\r\u{1b}[K" + text, isStatus: true) }
  }

  static func clearStatus() {
    this.withLock {
      let text = $0.takeStatus()
      if !text.isEmpty { $0.write(text) }
    }
  }

  /// Ends the line on which the terminal has shown ^C; a status line goes with it.
  static func endInterruptedLine() {
    guard isatty(2) == 1 else { return }
    this.withLock {
      let text = $0.takeStatus()
      $0.write(text.isEmpty ? "\n" : text)
    }
  }

  /// Control and formatting characters of foreign text are shown, never sent; bytes that aren't UTF-8, too.
  static func printable(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { RawText.byte($0) != nil }) else { return TerminalText.visible(text) }
    var result = ""
    for scalar in text.unicodeScalars {
      if let byte = RawText.byte(scalar) {
        result += "\\x" + String(byte, radix: 16)
      } else {
        result += TerminalText.visible(String(scalar))
      }
    }
    return result
  }

  /// Whatever is in a message, wherever it came from, nothing but line ends acts on the terminal.
  private static func shown(_ text: String) -> String {
    text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
      .map { printable(String($0)) }.joined(separator: "\n")
  }

  private static let this = Mutex(StandardError(program: "tcpstate-trace"))
}
