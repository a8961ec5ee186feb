// SPDX-License-Identifier: Apache-2.0

/// Durations in log-linear buckets, like HdrHistogram: 128 per power of two, so a
/// quantile is within 0.4 % of the truth over the whole range. A histogram takes at
/// most 60 KB, and little if few buckets are used.
///
/// It is fast in two ways, for two uses. With few histograms and many stays, as in `trace`, all buckets exist from
/// the start: 3.4 ns per stay, compared with 35 to 40 through `recent` while fewer than 512 buckets are used.
/// Thousands of groups can't take 60 KB each; without `recent`, `summary --by peer` with 3,000 peers takes 1.23
/// times as long.
public struct DurationHistogram: ~Copyable {
  private static let bucketCount = 256 + 56 * 128
  /// From this many buckets in use, all buckets are kept in an array.
  private static let denseFrom = 512
  /// How many durations are collected before they are sorted into the buckets at once.
  private static let mostRecent = 256

  /// All buckets; `nil` while few are used.
  private var dense: UnsafeMutablePointer<UInt64>?
  /// The buckets in use, in order.
  private var places: [UInt16] = []
  /// How many durations are in each of them.
  private var counts: [UInt64] = []
  /// Buckets of durations that aren't counted there yet; empty if `dense` is used.
  private var recent: [UInt16] = []

  public private(set) var count: UInt64 = 0
  /// Nanoseconds, saturating.
  public private(set) var total: UInt64 = 0
  /// Nanoseconds.
  public private(set) var longest: UInt64 = 0

  /// - Parameter isDense: whether all buckets exist from the start, which takes 60 KB and is faster.
  public init(isDense: Bool = false) {
    if isDense { spread() }
  }

  deinit { dense?.deallocate() }

  @inline(__always)
  static func bucket(of value: UInt64) -> Int {
    if value < 256 { return Int(value) }
    let exponent = 63 - value.leadingZeroBitCount
    return 256 + (exponent - 8) * 128 + Int(value >> UInt64(exponent - 7)) & 127
  }

  /// The smallest value in a bucket.
  static func lowerBound(ofBucket bucket: Int) -> UInt64 {
    if bucket < 256 { return UInt64(bucket) }
    let exponent = (bucket - 256) / 128 + 8
    return (UInt64(128 + (bucket - 256) % 128)) << UInt64(exponent - 7)
  }

  /// The middle of a bucket, which represents all of its values.
  private static func middle(ofBucket bucket: Int) -> UInt64 {
    let low = lowerBound(ofBucket: bucket)
    guard bucket >= 256 else { return low }
    // Wrapping, because the bound after the last bucket is 2^64.
    return low + (lowerBound(ofBucket: bucket + 1) &- low) / 2
  }

  @inline(__always)
  public mutating func record(_ nanoseconds: UInt64) {
    let bucket = Self.bucket(of: nanoseconds)
    if let dense {
      dense[bucket] += 1
    } else {
      recent.append(UInt16(truncatingIfNeeded: bucket))
      if recent.count >= Self.mostRecent { settle() }
    }
    count += 1
    total = total.saturatingAdding(nanoseconds)
    if nanoseconds > longest { longest = nanoseconds }
  }

  /// Adds the durations of another histogram. The order of merging makes no difference.
  public mutating func merge(_ other: borrowing DurationHistogram) {
    other.forEachBucket { bucket, number in add(number, toBucket: bucket) }
    count += other.count
    let (sum, overflow) = total.addingReportingOverflow(other.total)
    total = overflow ? .max : sum
    longest = max(longest, other.longest)
  }

  /// Adds what the kernel side has counted, each stay as the middle of its bucket there.
  public mutating func add(_ stays: AggregatedStays.State) {
    stays.forEach { middle, number in add(number, toBucket: Self.bucket(of: middle)) }
    count += stays.count
    total = total.saturatingAdding(stays.total)
    longest = max(longest, stays.longest)
  }

  /// The duration, in nanoseconds, that the share `quantile` (0…1) of the stays doesn't exceed; `nil` if empty.
  ///
  /// It is the middle of a bucket, so at most 0.4 % off, and never above `longest`.
  public func quantile(_ quantile: Double) -> UInt64? {
    guard count > 0 else { return nil }
    let rank = max(1, UInt64((Double(count) * quantile).rounded(.up)))
    var seen: UInt64 = 0
    var result: UInt64?
    forEachBucket { bucket, number in
      guard result == nil else { return }
      seen += number
      if seen >= rank { result = min(longest, Self.middle(ofBucket: bucket)) }
    }
    return result ?? longest
  }

  /// Visits the buckets in use, shortest first: `number` durations of about `middle` nanoseconds.
  public func forEach(_ body: (_ middle: UInt64, _ number: UInt64) -> Void) {
    forEachBucket { bucket, number in body(min(longest, Self.middle(ofBucket: bucket)), number) }
  }

  private func forEachBucket(_ body: (Int, UInt64) -> Void) {
    if let dense {
      for bucket in 0..<Self.bucketCount where dense[bucket] > 0 { body(bucket, dense[bucket]) }
    } else if recent.isEmpty {
      for (place, number) in zip(places, counts) { body(Int(place), number) }
    } else {
      let all = settled()
      for (place, number) in zip(all.places, all.counts) { body(Int(place), number) }
    }
  }

  private mutating func add(_ number: UInt64, toBucket bucket: Int) {
    if !recent.isEmpty { settle() }
    if let dense {
      dense[bucket] += number
      return
    }
    let place = UInt16(truncatingIfNeeded: bucket)
    var low = 0
    var high = places.count
    while low < high {
      let middle = (low + high) / 2
      if places[middle] < place { low = middle + 1 } else { high = middle }
    }
    if low < places.count, places[low] == place {
      counts[low] += number
      return
    }
    places.insert(place, at: low)
    counts.insert(number, at: low)
    if places.count >= Self.denseFrom { spread() }
  }

  /// The buckets in use, including the recent durations.
  private func settled() -> (places: [UInt16], counts: [UInt64]) {
    let recent = recent.sorted()
    var places: [UInt16] = []
    var counts: [UInt64] = []
    places.reserveCapacity(self.places.count + recent.count)
    counts.reserveCapacity(self.places.count + recent.count)
    var index = 0
    for place in recent {
      while index < self.places.count, self.places[index] <= place {
        places.append(self.places[index])
        counts.append(self.counts[index])
        index += 1
      }
      if places.last == place {
        counts[counts.count - 1] += 1
      } else {
        places.append(place)
        counts.append(1)
      }
    }
    places += self.places[index...]
    counts += self.counts[index...]
    return (places, counts)
  }

  private mutating func settle() {
    (places, counts) = settled()
    recent.removeAll(keepingCapacity: true)
    if places.count >= Self.denseFrom { spread() }
  }

  /// Switches to an array of all buckets.
  private mutating func spread() {
    let all = UnsafeMutablePointer<UInt64>.allocate(capacity: Self.bucketCount)
    all.initialize(repeating: 0, count: Self.bucketCount)
    for (place, number) in zip(places, counts) { all[Int(place)] = number }
    dense = all
    places = []
    counts = []
    recent = []
  }
}
