// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import Testing

@Suite struct StateStatisticsTests {
  @Test func summary() {
    var statistics = StateStatistics()
    for milliseconds in 1...100 as ClosedRange<UInt64> {
      statistics.record(.established, Stay(nanoseconds: milliseconds * 1_000_000, kind: .exact))
    }
    let summary = statistics.summary(of: .established, openNow: 7)
    #expect(summary.stays == 100)
    #expect(summary.longest == 100_000_000)
    #expect(summary.total == 5_050_000_000)
    #expect(summary.openNow == 7)
    #expect(!summary.longestIsLowerBound && !summary.totalIsLowerBound)
    let p50 = summary.p50 ?? 0
    #expect(p50 >= 49_800_000 && p50 <= 50_200_000)
  }

  @Test func lowerBounds() {
    var statistics = StateStatistics()
    statistics.record(.closeWait, Stay(nanoseconds: 5, kind: .exact))
    statistics.record(.closeWait, Stay(nanoseconds: 3, kind: .atLeast))
    var summary = statistics.summary(of: .closeWait, openNow: 0)
    #expect(summary.totalIsLowerBound && !summary.longestIsLowerBound)
    statistics.record(.closeWait, Stay(nanoseconds: 9, kind: .atLeast))
    summary = statistics.summary(of: .closeWait, openNow: 0)
    #expect(summary.longestIsLowerBound)
    statistics.record(.closeWait, Stay(nanoseconds: 10, kind: .exact))
    summary = statistics.summary(of: .closeWait, openNow: 0)
    #expect(!summary.longestIsLowerBound && summary.totalIsLowerBound)
  }

  @Test func nothingIsNil() {
    let summary = StateStatistics().summary(of: .listen, openNow: 3)
    #expect(summary.stays == 0 && summary.openNow == 3)
    #expect(summary.p50 == nil && summary.p90 == nil && summary.p99 == nil)
    #expect(summary.longest == nil && summary.total == nil)
  }

  @Test func unknownStatesAreNoIndex() {
    var statistics = StateStatistics()
    for number in UInt8.min...UInt8.max {
      statistics.record(TCPState(number: number), Stay(nanoseconds: 1, kind: .exact))
    }
    #expect(statistics.summary(of: TCPState(number: 200), openNow: 0).stays == 0)
    #expect(statistics.summary(of: .closing, openNow: 0).stays == 1)
  }
}
