// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TCPStateCore
@testable import TCPStateLive

/// When the kernel's tables are read for what changes silently.
@Suite struct SilentPacerTests {
  private static let millisecond: UInt64 = 1_000_000
  private static let second: UInt64 = 1_000_000_000

  private static func silent(
    changing: Int = 0, expiry: UInt64 = .max, unconfirmed: UInt64 = .max
  ) -> ConnectionTracker.Silent {
    var silent = ConnectionTracker.Silent()
    silent.changing = changing
    silent.nextExpiry = expiry
    silent.oldestUnconfirmed = unconfirmed
    return silent
  }

  /// A pacer that has read once, at `time`, for `cost` of CPU.
  private static func pacer(readAt time: UInt64, cost: UInt64) -> SilentPacer {
    var pacer = SilentPacer()
    let before = pacer.begin(now: time, cpu: 7)
    #expect(before == 0)
    pacer.end(cpu: 7 + cost)
    return pacer
  }

  @Test func nothingToRead() {
    let pacer = Self.pacer(readAt: Self.second, cost: 0)
    #expect(pacer.nextReading(Self.silent(changing: 1), count: 0) == nil)
    #expect(pacer.nextReading(Self.silent(), count: 5) == nil)
  }

  @Test func changesAreLookedForEachSecond() {
    let pacer = Self.pacer(readAt: 10 * Self.second, cost: 0)
    #expect(pacer.nextReading(Self.silent(changing: 1), count: 1) == 11 * Self.second)
  }

  @Test func timersAreLookedForAfterTheyFire() {
    let pacer = Self.pacer(readAt: 10 * Self.second, cost: 0)
    let expiry = 70 * Self.second
    #expect(pacer.nextReading(Self.silent(expiry: expiry), count: 1) == expiry + 8 * Self.millisecond)
    // Whatever comes first.
    #expect(pacer.nextReading(Self.silent(changing: 1, expiry: expiry), count: 2) == 11 * Self.second)
  }

  @Test func newMinisocksAreConfirmedWithinFiveSeconds() {
    let pacer = Self.pacer(readAt: 10 * Self.second, cost: 0)
    let entered = 12 * Self.second
    #expect(pacer.nextReading(Self.silent(unconfirmed: entered), count: 1) == entered + 5 * Self.second)
  }

  @Test func neverTwiceInTwentyFiveMilliseconds() {
    let pacer = Self.pacer(readAt: 10 * Self.second, cost: 0)
    #expect(
      pacer.nextReading(Self.silent(expiry: 10 * Self.second), count: 1)
        == 10 * Self.second + 25 * Self.millisecond)
  }

  /// A reading must be paid for from 1 % of a CPU.
  @Test func costlyReadingsWait() throws {
    var pacer = Self.pacer(readAt: 10 * Self.second, cost: 30 * Self.millisecond)
    // 10 of the first 40 ms are left: 20 are missing, which takes 2 s.
    #expect(pacer.nextReading(Self.silent(changing: 1), count: 1) == 12 * Self.second)
    // A second later 10 ms more are there; after a second of CPU the debt is what counts.
    let before = pacer.begin(now: 11 * Self.second, cpu: 0)
    #expect(before == 10 * Self.second)
    pacer.end(cpu: Self.second)
    let next = try #require(pacer.nextReading(Self.silent(changing: 1), count: 1))
    #expect(next == 11 * Self.second + 100 * (1_000 + 980) * Self.millisecond)
  }

  /// What is saved up while nothing is read is bounded.
  @Test func savingsAreBounded() throws {
    var pacer = Self.pacer(readAt: Self.second, cost: 0)
    let later = 1_000_000 * Self.second
    _ = pacer.begin(now: later, cpu: 0)
    pacer.end(cpu: 600 * Self.millisecond)
    // 1 s was saved up: 400 ms are left, 200 are missing.
    #expect(pacer.nextReading(Self.silent(changing: 1), count: 1) == later + 20 * Self.second)
  }
}
