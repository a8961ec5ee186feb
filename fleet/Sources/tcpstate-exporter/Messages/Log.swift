// SPDX-License-Identifier: Apache-2.0
import Synchronization
import TCPStateProgram
import TCPStateReport

/// Lines for people, on standard error, from any thread. A reader that doesn't read never holds up the tracing.
enum Log {
  private static let this = Mutex(StandardError(program: "tcpstate-exporter"))

  /// Opens what the first line would open.
  static func prepare() { this.withLock { _ = $0.open() } }

  /// Control and formatting characters of foreign text are shown, never sent.
  static func line(_ text: String) {
    let shown = "tcpstate-exporter: \(TerminalText.visible(text))\n"
    this.withLock { $0.write(shown) }
  }
}
