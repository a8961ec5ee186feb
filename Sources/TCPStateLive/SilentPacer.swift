// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// When to read the kernel's tables for minisocks and half-open requests.
///
/// A reading walks the whole hash table, so it may take 1 % of a CPU on
/// average: a budget grows with the time and pays for each. And only when it
/// could show something: an orphan or a request may have changed, a timer is
/// due, or a minisock is still to be confirmed.
struct SilentPacer {
  /// What can be saved up for a burst around a timer, and what there is to begin with.
  private static let largestBudget: Int64 = 1_000_000_000
  /// An end is known as closely as the readings around it.
  private static let shortest: UInt64 = 25_000_000
  /// How soon changes of orphans and requests are looked for.
  private static let changing: UInt64 = 1_000_000_000
  /// How soon a new TIME-WAIT is confirmed; its end is a minute away.
  private static let unconfirmed: UInt64 = 5_000_000_000
  /// A timer's soft interrupt comes a little after its tick.
  private static let firing: UInt64 = 8_000_000

  /// CPU nanoseconds that may be spent.
  private var budget: Int64 = 40_000_000
  private var lastStart: UInt64 = 0
  private var startCPU: UInt64 = 0
  private var lastCost: Int64 = 0

  /// When the next reading is wanted and can be paid for, CLOCK_MONOTONIC; `nil` when nothing is to be read.
  ///
  /// - Parameters:
  ///   - silent: what the tables have to be read for.
  ///   - count: connections of which only readings know what becomes of them.
  func nextReading(_ silent: ConnectionTracker.Silent, count: Int) -> UInt64? {
    guard count > 0 else { return nil }
    var wanted = UInt64.max
    if silent.changing > 0 { wanted = lastStart + Self.changing }
    if silent.nextExpiry != .max { wanted = min(wanted, silent.nextExpiry + Self.firing) }
    if silent.oldestUnconfirmed != .max { wanted = min(wanted, silent.oldestUnconfirmed + Self.unconfirmed) }
    guard wanted != .max else { return nil }
    let missing = lastCost - budget
    let affordable = lastStart + max(Self.shortest, missing > 0 ? UInt64(missing) * 100 : 0)
    return max(wanted, affordable)
  }

  /// - Parameters:
  ///   - now: CLOCK_MONOTONIC nanoseconds.
  ///   - cpu: CPU time of this process so far, nanoseconds.
  /// - Returns: when the reading before this one began.
  mutating func begin(now: UInt64, cpu: UInt64) -> UInt64 {
    if lastStart != 0 { budget = min(Self.largestBudget, budget + Int64((now - lastStart) / 100)) }
    startCPU = cpu
    defer { lastStart = now }
    return lastStart
  }

  /// - Parameter cpu: as in `begin`.
  mutating func end(cpu: UInt64) {
    lastCost = Int64(cpu - startCPU)
    budget -= lastCost
  }
}
