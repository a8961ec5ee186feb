/// The stays of all connections, per state.
public struct StateStatistics: ~Copyable {
  private final class Entry {
    var histogram = DurationHistogram()
    var atLeast: UInt64 = 0
    var longestIsLowerBound = false
  }

  private var entries: [Entry?] = Array(repeating: nil, count: TCPState.arraySize)

  public init() {}

  /// Counts one stay that ended.
  public mutating func record(_ state: TCPState, _ stay: Stay) {
    guard state.isKnown else { return }
    let entry: Entry
    if let existing = entries[Int(state.number)] {
      entry = existing
    } else {
      entry = Entry()
      entries[Int(state.number)] = entry
    }
    let before = entry.histogram.longest
    entry.histogram.record(stay.nanoseconds)
    if stay.kind == .atLeast { entry.atLeast += 1 }
    if entry.histogram.longest > before { entry.longestIsLowerBound = stay.kind == .atLeast }
  }

  /// What is known of one state; `openNow` is the caller's.
  public func summary(of state: TCPState, openNow: UInt64) -> StateSummary {
    var summary = StateSummary(state: state)
    summary.openNow = openNow
    guard state.isKnown, let entry = entries[Int(state.number)] else { return summary }
    summary.stays = entry.histogram.count
    summary.p50 = entry.histogram.quantile(0.5)
    summary.p90 = entry.histogram.quantile(0.9)
    summary.p99 = entry.histogram.quantile(0.99)
    summary.longest = entry.histogram.longest
    summary.total = entry.histogram.total
    summary.longestIsLowerBound = entry.longestIsLowerBound
    summary.totalIsLowerBound = entry.atLeast > 0
    return summary
  }
}
