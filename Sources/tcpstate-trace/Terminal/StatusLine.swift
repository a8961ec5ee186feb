// SPDX-License-Identifier: Apache-2.0
import TCPStateKernel
import TCPStateReport

/// One line on the terminal that is rewritten while the rows go to a file.
struct StatusLine {
  private let isShown: Bool
  private var lastShown: UInt64 = 0
  private var isOnScreen = false

  init(shown: Bool) {
    isShown = shown
  }

  mutating func show(shown: UInt64, transitions: UInt64, lost: UInt64) {
    guard isShown else { return }
    let now = KernelClock.monotonic()
    guard now - lastShown > 500_000_000 else { return }
    lastShown = now
    isOnScreen = true
    let filtered = shown == transitions ? "" : " of \(NumberText.string(transitions))"
    Message.control("\r\u{1b}[K\(NumberText.string(shown))\(filtered) transitions, \(NumberText.string(lost)) lost")
  }

  mutating func clear() {
    if isOnScreen { Message.control("\r\u{1b}[K") }
    isOnScreen = false
  }
}
