// SPDX-License-Identifier: Apache-2.0
/// When to look at the descriptors of all processes for the owners of connections.
///
/// Only while connections wait for it, and seldom enough that it takes a hundredth of one CPU, but often enough that a
/// connection is looked for in its first second. One that nobody held then is looked for once a second.
struct OwnerPacer {
  private static let shortest: UInt64 = 100_000_000
  private static let longest: UInt64 = 700_000_000
  private static let again: UInt64 = 1_000_000_000

  private var lastLook: UInt64 = 0
  /// CPU nanoseconds that it took.
  private var cost: UInt64 = 0

  /// - Parameter sought: whether connections wait, and whether some haven't been looked for.
  /// - Returns: when to look next, CLOCK_MONOTONIC; `nil` if nothing is to be looked for.
  func nextLook(_ sought: (any: Bool, new: Bool)) -> UInt64? {
    guard sought.any else { return nil }
    guard sought.new else { return lastLook + Self.again }
    return lastLook + min(Self.longest, max(Self.shortest, cost * 100))
  }

  /// - Parameters:
  ///   - time: when it began, CLOCK_MONOTONIC.
  ///   - cost: the CPU nanoseconds that it took.
  mutating func looked(at time: UInt64, cost: UInt64) {
    lastLook = time
    self.cost = cost
  }
}
