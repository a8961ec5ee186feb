// SPDX-License-Identifier: Apache-2.0

/// The stays of one group in one state, shared by reference.
public final class StayCell {
  /// Unchecked, because a check at run time would cost as much as counting. Safe because nothing here calls out
  /// during a change.
  @exclusivity(unchecked) public private(set) var counts: StayCounts

  public init() { counts = StayCounts() }

  /// The stays that the kernel side has counted.
  init(_ stays: AggregatedStays.State) { counts = StayCounts(stays) }

  @inline(__always)
  public func record(_ stay: Stay) { counts.record(stay) }

  /// Adds the stays of another cell. The order of merging makes no difference.
  public func merge(_ other: StayCell) { counts.merge(other.counts) }

  /// Summarizes the stays; the caller provides `openNow`.
  public func summary(of state: TCPState, openNow: UInt64) -> StateSummary {
    counts.summary(of: state, openNow: openNow)
  }
}
