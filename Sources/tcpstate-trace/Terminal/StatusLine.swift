// SPDX-License-Identifier: Apache-2.0
import TCPStateKernel
import TCPStateReport

/// A line on the terminal's standard error that is rewritten now and then, while a command writes nothing else there.
struct StatusLine {
  /// Nanoseconds between two pictures.
  private static let pause: UInt64 = 500_000_000

  /// CLOCK_MONOTONIC; `nil` if only a signal ends the run.
  private let deadline: UInt64?
  private var lastShown: UInt64 = 0
  private var isOnScreen = false

  init(deadline: UInt64?) {
    self.deadline = deadline
  }

  /// - Parameter text: what to say; `nil` for nothing.
  mutating func show(_ text: () -> String?) {
    guard Message.canShowStatus else { return }
    let now = KernelClock.monotonic()
    guard now - lastShown >= Self.pause else { return }
    guard let text = text() else { return clear() }
    lastShown = now
    isOnScreen = true
    let left = deadline.map { ", \(DurationText.string(($0 - min(now, $0)) / 1_000_000_000 * 1_000_000_000)) left" }
    Message.status(Terminal.oneLine(text + (left ?? "")))
  }

  mutating func clear() {
    if isOnScreen { Message.clearStatus() }
    isOnScreen = false
  }
}
