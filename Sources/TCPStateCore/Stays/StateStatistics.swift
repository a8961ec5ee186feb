// SPDX-License-Identifier: Apache-2.0

/// The stays of all connections by state.
public struct StateStatistics: ~Copyable {
  private var cells: [StayCell?] = Array(repeating: nil, count: TCPState.arraySize)

  public init() {}

  /// Counts a stay that ended.
  public mutating func record(_ state: TCPState, _ stay: Stay) {
    guard state.isKnown else { return }
    let cell: StayCell
    if let existing = cells[Int(state.number)] {
      cell = existing
    } else {
      cell = StayCell(isDense: true)
      cells[Int(state.number)] = cell
    }
    cell.record(stay)
  }

  /// Summarizes one state; the caller provides `openNow`.
  public func summary(of state: TCPState, openNow: UInt64) -> StateSummary {
    guard state.isKnown, let cell = cells[Int(state.number)] else {
      var summary = StateSummary(state: state)
      summary.openNow = openNow
      return summary
    }
    return cell.summary(of: state, openNow: openNow)
  }
}
