// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TCPStateReport

/// When a recording begins and ends, and how whole it is.
struct RecordedSpan {
  /// The first transition, nanoseconds since the epoch: rows of sockets that were
  /// there before are as old as those.
  private(set) var start: UInt64?
  private var latest: UInt64 = 0
  private(set) var lost: UInt64 = 0
  /// Whether it has sockets that are older than its start.
  private var hasExisting = false

  mutating func take(_ row: borrowing Transition, lossBefore: UInt64) {
    lost.add(saturating: lossBefore)
    latest = max(latest, row.time)
    if row.isFound {
      // Later ones say whose a connection is.
      if start == nil, !row.isLossMarker { hasExisting = true }
    } else if start == nil {
      start = row.time
    }
  }

  /// From the first transition to the last; of a recording without any the newest socket's time.
  var range: ClosedRange<UInt64> { min(start ?? latest, latest)...latest }

  /// The moment wanted, which must be within the recording.
  func moment(_ moment: ReplayMoment, of name: String) throws(Failure) -> UInt64 {
    guard let time = moment.time(start: range.lowerBound) else {
      if moment.isGiven { throw moment.failure(name, range) }
      return range.upperBound
    }
    guard range.contains(time) else { throw moment.failure(name, range) }
    return time
  }

  /// For people: which moment of which recording, and what is missing from it.
  func description(of name: String, at time: UInt64, _ utc: Bool) -> String {
    var clock = ClockText(utc: utc)
    var text = ByteBuffer(capacity: 64)
    clock.append(time, precision: .milliseconds, to: &text)
    var line = "\(name) at \(text.text)\(time == range.upperBound ? ", its end" : "")."
    if !hasExisting { line += " It has no sockets that were open before its start and have done nothing since." }
    if lost > 0 { line += " \(NumberText.string(lost)) events were lost in it." }
    return line
  }
}
