// SPDX-License-Identifier: Apache-2.0

/// The stays of all connections by state.
public struct StateStatistics: ~Copyable {
  /// By `TCPState.number`. No objects, because their reference counts would cost more per stay than counting it.
  private let counts = UnsafeMutablePointer<StayCounts>.allocate(capacity: TCPState.arraySize)

  public init() {
    for number in 0..<TCPState.arraySize { (counts + number).initialize(to: StayCounts()) }
  }

  deinit {
    counts.deinitialize(count: TCPState.arraySize)
    counts.deallocate()
  }

  /// Counts a stay that ended.
  public mutating func record(_ state: TCPState, _ stay: Stay) {
    guard state.isKnown else { return }
    // Safe, as in `summary`: the number of a known state is below `arraySize`.
    let place = counts + Int(state.number)
    if place.pointee.histogram.count == 0 { place.pointee = StayCounts(isDense: true) }
    place.pointee.record(stay)
  }

  /// Summarizes one state; the caller provides `openNow`.
  public func summary(of state: TCPState, openNow: UInt64) -> StateSummary {
    guard state.isKnown else {
      var summary = StateSummary(state: state)
      summary.openNow = openNow
      return summary
    }
    return (counts + Int(state.number)).pointee.summary(of: state, openNow: openNow)
  }
}
