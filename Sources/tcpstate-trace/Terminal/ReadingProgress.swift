// SPDX-License-Identifier: Apache-2.0
import TCPStateKernel
import TCPStateReport

/// A line on the terminal that says how far a long reading is.
struct ReadingProgress {
  let isShown: Bool
  private let start = KernelClock.monotonic()
  private var lastShown: UInt64 = 0
  private var isOnScreen = false

  init(isShown: Bool) {
    self.isShown = isShown
  }

  /// - Parameter size: `nil` if it isn't known.
  mutating func show(read: UInt64, of size: UInt64?, rows: UInt64?) {
    guard isShown else { return }
    let now = KernelClock.monotonic()
    guard now - start > 1_000_000_000, now - lastShown > 200_000_000 else { return }
    lastShown = now
    isOnScreen = true
    var line = "Read \(Self.megabytes(read))"
    if let size, size > 0 {
      line = "Read \(min(read * 100 / size, 100)) % of \(Self.megabytes(size))"
    }
    if let rows { line += ", \(NumberText.string(rows)) rows" }
    if let size, read > size / 50, read < size {
      line += ", \(DurationText.string((now - start) / read * (size - read))) left"
    }
    Message.status(Terminal.oneLine(line))
  }

  mutating func clear() {
    if isOnScreen { Message.clearStatus() }
    isOnScreen = false
  }

  private static func megabytes(_ bytes: UInt64) -> String { "\(NumberText.string(bytes / 1_000_000)) MB" }
}
