/// Durations in log-linear buckets, as HdrHistogram has them: 128 to each
/// power of two, so a quantile is within 0.4 % of the truth over the whole
/// range, in memory that doesn't grow.
public struct DurationHistogram: ~Copyable {
  private static let bucketCount = 256 + 56 * 128

  private var buckets: UnsafeMutablePointer<UInt64>
  public private(set) var count: UInt64 = 0
  /// Nanoseconds, saturating.
  public private(set) var total: UInt64 = 0
  public private(set) var longest: UInt64 = 0

  public init() {
    buckets = .allocate(capacity: Self.bucketCount)
    buckets.initialize(repeating: 0, count: Self.bucketCount)
  }

  deinit { buckets.deallocate() }

  @inline(__always)
  static func bucket(of value: UInt64) -> Int {
    if value < 256 { return Int(value) }
    let exponent = 63 - value.leadingZeroBitCount
    return 256 + (exponent - 8) * 128 + Int(value >> UInt64(exponent - 7)) & 127
  }

  /// The smallest value of a bucket.
  static func lowerBound(ofBucket bucket: Int) -> UInt64 {
    if bucket < 256 { return UInt64(bucket) }
    let exponent = (bucket - 256) / 128 + 8
    return (UInt64(128 + (bucket - 256) % 128)) << UInt64(exponent - 7)
  }

  public mutating func record(_ nanoseconds: UInt64) {
    buckets[Self.bucket(of: nanoseconds)] += 1
    count += 1
    total = total.saturatingAdding(nanoseconds)
    if nanoseconds > longest { longest = nanoseconds }
  }

  /// The value below or at which the share `quantile` (0…1) of the stays lies; `nil` when empty.
  ///
  /// The middle of the bucket, so at most 0.4 % off, and never above `longest`.
  public func quantile(_ quantile: Double) -> UInt64? {
    guard count > 0 else { return nil }
    let rank = max(1, UInt64((Double(count) * quantile).rounded(.up)))
    var seen: UInt64 = 0
    for bucket in 0..<Self.bucketCount {
      seen += buckets[bucket]
      if seen >= rank {
        let low = Self.lowerBound(ofBucket: bucket)
        guard bucket >= 256 else { return low }
        // Wrapping: behind the last bucket is 2^64.
        return min(longest, low + (Self.lowerBound(ofBucket: bucket + 1) &- low) / 2)
      }
    }
    return longest
  }
}
