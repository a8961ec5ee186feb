// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent
import TestSupport
import Testing

@testable import TCPStateCore

struct AggregatedStaysTests {
  /// What the kernel side does.
  private func bucket(of value: UInt64) -> Int { Int(tcpstate_stay_bucket(value)) }

  private func counted(_ values: [UInt64]) -> tcpstate_stays {
    var stays = tcpstate_stays()
    stays.count = UInt64(values.count)
    stays.total_ns = values.reduce(0) { $0.saturatingAdding($1) }
    stays.longest_ns = values.max() ?? 0
    withUnsafeMutableBytes(of: &stays.buckets) { bytes in
      let buckets = bytes.bindMemory(to: UInt64.self)
      for value in values { buckets[bucket(of: value)] += 1 }
    }
    return stays
  }

  @Test func bounds() {
    #expect(MemoryLayout<tcpstate_stays>.size == 40 + AggregatedStays.bucketCount * 8)
    #expect(bucket(of: .max) == AggregatedStays.bucketCount - 1)
    for bucket in 0..<AggregatedStays.bucketCount {
      #expect(self.bucket(of: AggregatedStays.lowerBound(ofBucket: bucket)) == bucket)
    }
  }

  @Test func quantilesAreWithinTheirError() {
    var generator = SeededGenerator(seed: 7)
    let values = (0..<5000).map { _ in
      UInt64.random(in: 1..<(1 << UInt64.random(in: 1...45, using: &generator)), using: &generator)
    }
    var exact = DurationHistogram()
    for value in values { exact.record(value) }
    var stays = AggregatedStays()
    // As two CPUs would count them.
    var first = counted(Array(values[..<2000]))
    var second = counted(Array(values[2000...]))
    stays.add(&first, state: Int(TCPState.established.number))
    stays.add(&second, state: Int(TCPState.established.number))
    let summary = StaySummary(stays, open: [OpenStays](repeating: OpenStays(), count: TCPState.arraySize))
    let line = summary.tally.cell(0, .established)?.summary(of: .established, openNow: 0)
    #expect(line?.stays == 5000)
    #expect(line?.total == exact.total)
    #expect(line?.longest == exact.longest)
    for (ours, quantile) in [(line?.p50, 0.5), (line?.p90, 0.9), (line?.p99, 0.99)] {
      guard let ours, let truth = exact.quantile(quantile) else {
        Issue.record("no quantile")
        continue
      }
      // 1.6 % plus the other histogram's own 0.4 %.
      #expect(abs(Double(ours) - Double(truth)) <= 0.021 * Double(truth) + 1, "\(quantile)")
    }
    #expect(summary.tally.cell(0, .listen) == nil)
  }

  @Test func theLongestMayBeABound() {
    var stays = AggregatedStays()
    var exact = counted([500])
    var bound = counted([900])
    bound.at_least = 1
    bound.longest_at_least = 1
    stays.add(&exact, state: Int(TCPState.closeWait.number))
    stays.add(&bound, state: Int(TCPState.closeWait.number))
    #expect(stays[.closeWait].longest == 900)
    #expect(stays[.closeWait].longestIsLowerBound)
    #expect(stays[.closeWait].atLeast == 1)
  }

  @Test func tallies() {
    var stays = AggregatedStays()
    var tally = tcpstate_tally()
    tally.transitions = 10
    tally.unmatched = 1
    tally.untracked = 2
    tally.minisocks = 3
    tally.open.1 = 5
    tally.open.3 = 1
    tally.open.12 = 2  // NEW_SYN_RECV
    stays.add(&tally)
    tally.open.1 = -2
    stays.add(&tally)
    #expect(stays.transitions == 20)
    #expect((stays.unmatched, stays.untracked, stays.minisocks) == (2, 4, 6))
    #expect(stays[.established].opened == 3)
    #expect(stays[.synReceived].opened == 6)
  }
}
