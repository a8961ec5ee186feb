// SPDX-License-Identifier: Apache-2.0
import ExporterMetrics
import Testing

@Suite struct BucketHistogramTests {
  /// A bound belongs to its bucket, as `le` says.
  @Test(
    arguments: [
      (0, 0), (100_000, 0), (100_001, 1), (1_000_000, 1), (60_000_000_000, 6), (60_000_000_001, 7),
      (86_400_000_000_000, 10), (86_400_000_000_001, 11), (.max, 11),
    ] as [(UInt64, Int)])
  func boundsBelongToTheirBucket(_ nanoseconds: UInt64, _ bucket: Int) {
    var histogram = BucketHistogram(.stays)
    histogram.record(nanoseconds)
    #expect((0..<BucketHistogram.bucketCount).map { histogram.count(inBucket: $0) }.firstIndex(of: 1) == bucket)
    #expect(histogram.count == 1 && histogram.total == nanoseconds)
  }

  @Test func sumsSaturate() {
    var histogram = BucketHistogram(.stays)
    histogram.record(.max)
    histogram.record(1)
    #expect(histogram.total == .max && histogram.count == 2)
  }
}
