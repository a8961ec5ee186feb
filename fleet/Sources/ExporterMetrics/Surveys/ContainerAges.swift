// SPDX-License-Identifier: Apache-2.0

/// Which containers have existed for long enough to get a series: those that come and go would fill a database.
struct ContainerAges: Sendable {
  /// Nanoseconds.
  private static let least: UInt64 = 30_000_000_000

  /// When each was first seen, of those in the last reading.
  private var firstSeen: [String: UInt64] = [:]
  private var before: [String: UInt64] = [:]

  mutating func begin() { (before, firstSeen) = (firstSeen, [:]) }

  /// - Parameters:
  ///   - age: of something in the container, which is as old at least. Nanoseconds.
  ///   - now: nanoseconds, on a clock that is never set.
  mutating func isSettled(_ container: String, seen age: UInt64, now: UInt64) -> Bool {
    let known = firstSeen[container] ?? before[container] ?? now
    let first = min(known, now - min(age, now))
    firstSeen[container] = first
    return now - first >= Self.least
  }

  mutating func end() { before = [:] }
}
