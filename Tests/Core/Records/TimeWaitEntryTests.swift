// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent
import Testing

@testable import TCPStateCore

/// When a minisock entered TIME-WAIT, from its stamp and its timer. Times are milliseconds, read at 100 s, at HZ=250.
@Suite struct TimeWaitEntryTests {
  private static let now: UInt64 = 100_000

  /// - Parameters:
  ///   - stamp: of the minisock; `nil` on kernels that have none.
  ///   - armed: when its timer was armed for 60 s; `nil` if that can't be read.
  private static func snapshot(stamp: UInt64?, armed: UInt64?) -> tcpstate_snapshot {
    var record = tcpstate_snapshot()
    record.event = EventBuilder.transition(.timeWait, .timeWait)
    record.event.kind = UInt8(TCPSTATE_KIND_TIMEWAIT)
    record.event.timestamp_ns = now * 1_000_000
    record.jiffies = now / 4
    if let stamp {
      record.event.flags |= UInt16(TCPSTATE_FLAG_HAS_ENTRY_STAMP)
      record.entry_stamp_ms = UInt32(stamp)
    }
    if let armed { record.timer_expires = armed / 4 + 60 * 250 }
    return record
  }

  private static func entry(
    stamp: UInt64?, armed: UInt64?, before: UInt64 = 0, made: UInt64? = nil, ticks: UInt64? = 250
  ) -> ClosedRange<UInt64> {
    var record = snapshot(stamp: stamp, armed: armed)
    let entry = TimeWaitEntry(
      &record, ticksPerSecond: ticks, before: before * 1_000_000, made: made.map { $0 * 1_000_000 })
    return entry.earliest / 1_000_000...entry.latest / 1_000_000
  }

  /// The FIN had a TCP timestamp: later segments that arm the timer again change nothing.
  @Test(arguments: [UInt64(90_000), 95_000, 99_996]) func renewedStamp(_ armed: UInt64) {
    #expect(Self.entry(stamp: 90_000, armed: armed, before: 80_000, made: 80_000) == 90_000...90_001)
  }

  /// It had none, so the stamp is that of the minisock: the timer is an upper bound only, because of repeated FINs.
  @Test func staleStamp() {
    #expect(Self.entry(stamp: 80_000, armed: 90_000, before: 80_000, made: 80_000) == 80_000...90_004)
    #expect(Self.entry(stamp: 80_000, armed: 90_000, before: 89_000, made: 80_000) == 89_000...90_004)
  }

  /// No peer repeats a FIN within 50 ms, so the timer was armed by the first.
  @Test(arguments: [UInt64?.none, 80_000]) func shortlyAfter(_ stamp: UInt64?) {
    #expect(Self.entry(stamp: stamp, armed: 80_040, before: 80_000, made: 80_000) == 80_036...80_044)
    #expect(Self.entry(stamp: stamp, armed: 80_052, before: 80_000, made: 80_000) == 80_000...80_056)
  }

  /// Found at the start: stamp and timer agree only if the FIN set both.
  @Test func foundAtTheStart() {
    #expect(Self.entry(stamp: 80_000, armed: 80_000) == 80_000...80_004)
    #expect(Self.entry(stamp: 80_000, armed: 90_000) == 80_000...90_004)
    #expect(Self.entry(stamp: nil, armed: 90_000) == 0...90_004)
  }

  @Test func neverBeforeWhatIsKnown() {
    #expect(Self.entry(stamp: 80_000, armed: 80_000, before: 80_000, made: 80_000) == 80_000...80_004)
    #expect(Self.entry(stamp: 80_001, armed: 80_000, before: 80_001, made: 80_000).lowerBound == 80_001)
    // The clocks' readings never lead past the present.
    #expect(Self.entry(stamp: 99_999, armed: 99_999, before: 99_990, made: 99_990) == 99_999...100_000)
    #expect(Self.entry(stamp: nil, armed: 99_999, before: 0, made: nil) == 0...100_000)
  }

  @Test func withoutATimer() {
    #expect(Self.entry(stamp: 80_000, armed: 80_000, ticks: nil) == 80_000...80_001)
    #expect(Self.entry(stamp: 80_000, armed: nil, before: 80_000, made: 80_000) == 80_000...100_000)
    #expect(Self.entry(stamp: nil, armed: nil) == 0...100_000)
  }

  /// A stamp that isn't in the past, and a timer that is further off than any.
  @Test func nonsense() {
    #expect(Self.entry(stamp: 200_000, armed: 90_000, before: 80_000, made: 80_000) == 80_000...90_004)
    #expect(Self.entry(stamp: nil, armed: 1_000_000, before: 80_000, made: 80_000) == 80_000...100_000)
  }

  /// What one reading shows of the age: the whole of it only if stamp and timer agree.
  @Test func ages() {
    var agreeing = Self.snapshot(stamp: 80_000, armed: 80_000)
    #expect(SnapshotAge.least(&agreeing, ticksPerSecond: 250) == 20_000_000_000)
    #expect(SnapshotAge.isExact(&agreeing, ticksPerSecond: 250))
    var differing = Self.snapshot(stamp: 80_000, armed: 98_000)
    #expect(SnapshotAge.least(&differing, ticksPerSecond: 250) == 1_996_000_000)
    #expect(!SnapshotAge.isExact(&differing, ticksPerSecond: 250))
    var unstamped = Self.snapshot(stamp: nil, armed: 98_000)
    #expect(SnapshotAge.least(&unstamped, ticksPerSecond: 250) == 1_996_000_000)
    #expect(!SnapshotAge.isExact(&unstamped, ticksPerSecond: 250))
  }
}
