// SPDX-License-Identifier: Apache-2.0

/// Counts of stays: how many there were, and how long.
public struct StayCounts: ~Copyable {
  public private(set) var histogram: DurationHistogram
  private var atLeast: UInt64 = 0
  /// Whether no stay as long as the longest is exact.
  private var longestIsLowerBound = false

  /// - Parameter isDense: whether to take 60 KB from the start for speed, for few counts with many stays.
  public init(isDense: Bool = false) {
    histogram = DurationHistogram(isDense: isDense)
  }

  /// The stays that the kernel side has counted.
  init(_ stays: AggregatedStays.State) {
    histogram = DurationHistogram()
    histogram.add(stays)
    atLeast = stays.atLeast
    longestIsLowerBound = stays.longestIsLowerBound
  }

  @inline(__always)
  public mutating func record(_ stay: Stay) {
    let before = histogram.longest
    let isFirst = histogram.count == 0
    histogram.record(stay.nanoseconds)
    let isLowerBound = stay.kind == .atLeast
    if isLowerBound { atLeast += 1 }
    if stay.nanoseconds > before || isFirst {
      longestIsLowerBound = isLowerBound
    } else if stay.nanoseconds == before, !isLowerBound {
      longestIsLowerBound = false
    }
  }

  /// Adds the stays of another group. The order of merging makes no difference.
  public mutating func merge(_ other: borrowing StayCounts) {
    if histogram.count == 0 || other.histogram.longest > histogram.longest {
      longestIsLowerBound = other.longestIsLowerBound
    } else if other.histogram.count > 0, other.histogram.longest == histogram.longest {
      longestIsLowerBound = longestIsLowerBound && other.longestIsLowerBound
    }
    histogram.merge(other.histogram)
    atLeast += other.atLeast
  }

  /// Summarizes the stays; the caller provides `openNow`.
  public func summary(of state: TCPState, openNow: UInt64) -> StateSummary {
    var summary = StateSummary(state: state)
    summary.openNow = openNow
    guard histogram.count > 0 else { return summary }
    summary.stays = histogram.count
    summary.p50 = histogram.quantile(0.5)
    summary.p90 = histogram.quantile(0.9)
    summary.p99 = histogram.quantile(0.99)
    summary.longest = histogram.longest
    summary.total = histogram.total
    summary.longestIsLowerBound = longestIsLowerBound
    summary.totalIsLowerBound = atLeast > 0
    return summary
  }
}
