import Glibc
import TCPStateCore
import TCPStateKernel

/// When to read the kernel's tables for minisocks and half-open requests.
///
/// A reading walks the whole hash table, so it may take at most 1 % of a CPU:
/// after each, 99 times its cost is waited. And only when it could tell
/// something: an orphan or a request may have changed, a timer has fired, or a
/// minisock is still to be confirmed.
struct SilentPacer {
  private static let shortest: UInt64 = 250_000_000
  /// How soon changes of orphans and requests are looked for.
  private static let changing: UInt64 = 1_000_000_000
  /// How soon a new TIME-WAIT is confirmed; its end is a minute away.
  private static let unconfirmed: UInt64 = 5_000_000_000
  /// A timer fires in a soft interrupt, a little after its tick.
  private static let firing: UInt64 = 20_000_000

  private(set) var lastStart: UInt64 = 0
  private var nextAllowed: UInt64 = 0
  private var startCPU: UInt64 = 0

  func isDue(_ tracker: borrowing ConnectionTracker, now: UInt64) -> Bool {
    guard tracker.silentCount > 0, now >= nextAllowed else { return false }
    let silent = tracker.silent
    return now &- lastStart >= Self.changing && silent.changing > 0
      || silent.nextExpiry != .max && now >= silent.nextExpiry &+ Self.firing
      || silent.oldestUnconfirmed != .max && now >= silent.oldestUnconfirmed &+ Self.unconfirmed
  }

  /// - Returns: when the reading before this one began.
  mutating func begin(now: UInt64) -> UInt64 {
    defer { lastStart = now }
    startCPU = KernelClock.processCPU()
    return lastStart
  }

  mutating func end(now: UInt64) {
    let cost = KernelClock.processCPU() - startCPU
    nextAllowed = now + max(Self.shortest, cost * 99)
  }
}
