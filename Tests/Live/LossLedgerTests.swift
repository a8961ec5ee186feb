// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TCPStateLive

@Suite struct LossLedgerTests {
  private static let second: UInt64 = 1_000_000_000

  private static func lost(_ notice: LiveNotice?) -> (count: UInt64, total: UInt64, cause: LossCause)? {
    guard case .eventsLost(let count, let total, let cause) = notice else { return nil }
    return (count, total, cause)
  }

  @Test func nothingLost() {
    var losses = LossLedger()
    #expect(Self.lost(losses.notice(now: Self.second, isHeldUp: false, isLast: true)) == nil)
  }

  @Test func firstAtOnceThenEachSecond() throws {
    var losses = LossLedger()
    losses.add(3)
    var notice = try #require(Self.lost(losses.notice(now: 100, isHeldUp: false, isLast: false)))
    #expect((notice.count, notice.total, notice.cause) == (3, 3, .bufferFull))
    losses.add(4)
    #expect(Self.lost(losses.notice(now: 100 + Self.second, isHeldUp: false, isLast: false)) == nil)
    losses.add(5)
    notice = try #require(Self.lost(losses.notice(now: 101 + Self.second, isHeldUp: false, isLast: false)))
    #expect((notice.count, notice.total) == (9, 12))
    #expect(Self.lost(losses.notice(now: 10 * Self.second, isHeldUp: false, isLast: false)) == nil)
  }

  @Test func lastIsNotPaced() throws {
    var losses = LossLedger()
    losses.add(1)
    _ = losses.notice(now: 1, isHeldUp: false, isLast: false)
    losses.add(1)
    let notice = try #require(Self.lost(losses.notice(now: 2, isHeldUp: false, isLast: true)))
    #expect((notice.count, notice.total) == (1, 2))
  }

  @Test func causes() throws {
    var interrupted = LossLedger()
    interrupted.add(2, skipped: true)
    #expect(Self.lost(interrupted.notice(now: 1, isHeldUp: true, isLast: false))?.cause == .interrupted)
    #expect(interrupted.skipped == 2)
    interrupted.add(1)
    #expect(Self.lost(interrupted.notice(now: 1, isHeldUp: true, isLast: true))?.cause == .heldUp)
    #expect(interrupted.skipped == 2)
  }

  @Test func tablesAreReadOnceASecond() {
    var losses = LossLedger()
    let may = [5 * Self.second, 6 * Self.second, 6 * Self.second + 1].map { losses.mayRead(now: $0) }
    #expect(may == [true, false, true])
  }
}
