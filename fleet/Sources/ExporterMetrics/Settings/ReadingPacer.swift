// SPDX-License-Identifier: Apache-2.0

/// When to read the tables next: at regular intervals, or less often if a reading costs more than its share of a CPU.
package struct ReadingPacer {
  /// Nanoseconds.
  package let interval: UInt64
  /// Of one CPU, above 0.
  package let share: Double
  /// CLOCK_MONOTONIC; the first reading is due at once.
  package private(set) var nextReading: UInt64 = 0

  package init(interval: UInt64, share: Double) {
    self.interval = interval
    self.share = share
  }

  /// - Parameters:
  ///   - time: when the reading began, CLOCK_MONOTONIC nanoseconds.
  ///   - cost: the CPU nanoseconds that it took.
  package mutating func read(at time: UInt64, cost: UInt64) {
    nextReading = time + max(interval, UInt64(min(Double(cost) / share, 1e18)))
  }
}
