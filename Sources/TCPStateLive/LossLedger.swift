// SPDX-License-Identifier: Apache-2.0

/// Counts lost events, and paces what is reported of them and done about them.
struct LossLedger {
  /// Nanoseconds between two notices, and between two readings of the tables.
  private static let interval: UInt64 = 1_000_000_000

  /// Events lost so far.
  private(set) var total: UInt64 = 0
  /// Of these, runs that the kernel skipped; for the others the ring buffer had no room.
  private(set) var skipped: UInt64 = 0
  private var reported: UInt64 = 0
  private var lastReport: UInt64 = 0
  private var lastReading: UInt64 = 0

  mutating func add(_ count: UInt64, skipped isSkipped: Bool = false) {
    total += count
    if isSkipped { skipped += count }
  }

  /// A notice if one is due: the first loss at once, later ones at most once a second.
  ///
  /// - Parameter isLast: reports what is left at once.
  mutating func notice(now: UInt64, isHeldUp: Bool, isLast: Bool) -> LiveNotice? {
    guard total > reported, isLast || reported == 0 || now - lastReport > Self.interval else { return nil }
    defer {
      reported = total
      lastReport = now
    }
    let cause: LossCause = skipped == total ? .interrupted : isHeldUp ? .heldUp : .bufferFull
    return .eventsLost(count: total - reported, total: total, cause: cause)
  }

  /// Whether the tables may be read to make up for a loss: at most once a second, because that isn't free.
  mutating func mayRead(now: UInt64) -> Bool {
    guard now - lastReading > Self.interval else { return false }
    lastReading = now
    return true
  }
}
