// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// The upper bounds of a histogram's buckets; a last bucket without a bound follows.
package struct BucketBounds: Sendable {
  /// Nanoseconds, ascending.
  let nanoseconds: InlineArray<11, UInt64>
  private let texts: [String]

  /// - Parameter decimals: in seconds, as OpenMetrics writes them: with a point (section "Numbers").
  private init(_ decimals: [String]) {
    texts = decimals + ["+Inf"]
    nanoseconds = InlineArray { UInt64((Double(decimals[$0]) ?? 0) * 1e9) }
  }

  /// The `le` label of a bucket.
  func text(_ bucket: Int) -> String { texts[bucket] }

  /// For stays: from 100 µs to a day. A minute and an hour are bounds because time-outs and keepalives are.
  package static let stays = BucketBounds([
    "0.0001", "0.001", "0.01", "0.1", "1.0", "10.0", "60.0", "600.0", "3600.0", "21600.0", "86400.0",
  ])

  /// For handshakes: round trips up to a second, after which a SYN is sent again: at 1, 3, 7 and 15 s (RFC 6298,
  /// section 2).
  package static let handshakes = BucketBounds([
    "0.0001", "0.001", "0.005", "0.025", "0.1", "0.25", "0.5", "1.0", "3.0", "7.0", "15.0",
  ])
}

/// Durations in at most twelve buckets, for Prometheus.
///
/// Not a `DurationHistogram`, whose thousands of buckets end between these bounds, so that the counts would be wrong.
package struct BucketHistogram: Sendable {
  package static let bucketCount = 12

  package let bounds: BucketBounds
  private var buckets: InlineArray<12, UInt64> = .init(repeating: 0)
  package private(set) var count: UInt64 = 0
  /// Nanoseconds, saturating.
  package private(set) var total: UInt64 = 0

  package init(_ bounds: BucketBounds) {
    self.bounds = bounds
  }

  package mutating func record(_ nanoseconds: UInt64) {
    var bucket = 0
    while bucket < Self.bucketCount - 1, nanoseconds > bounds.nanoseconds[bucket] { bucket += 1 }
    buckets[bucket] += 1
    count += 1
    total.add(saturating: nanoseconds)
  }

  /// How many durations are in one bucket, not counting those in the buckets below.
  package func count(inBucket bucket: Int) -> UInt64 { buckets[bucket] }
}
