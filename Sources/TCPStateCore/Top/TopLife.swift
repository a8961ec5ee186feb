// SPDX-License-Identifier: Apache-2.0

/// The life of a connection, made from what `top` remembers: the states it has been in, and its facts.
///
/// A row for each transition would take too much memory for every connection, so their counters are unknown here. The
/// times follow from the stays, which join each other without a gap.
public enum TopLife {
  /// The life of a connection, with the other end's if that is on this host; `nil` for a listener.
  ///
  /// - Parameters:
  ///   - facts: each end as `ConnectionTracker.forEachOpen` has it: `new` is its state, `stay` its time in that state.
  ///   - connection: the one that is wanted.
  ///   - past: the earlier states of an end, the oldest first.
  public static func life(
    of connection: UInt64, _ facts: [Transition], past: (UInt64) -> [TopStay]
  ) -> Lifecycle? {
    var rows = facts.flatMap { Self.rows($0, past: past($0.connection)) }
    rows.sort { $0.time < $1.time }
    var tracker = LifecycleTracker(waitsForTimeWait: true, takesFound: true)
    for row in rows { tracker.apply(row) { _ in } }
    return tracker.life(of: connection)
  }

  /// The transitions that led to the present state.
  static func rows(_ facts: Transition, past: [TopStay]) -> [Transition] {
    guard let present = facts.stay, facts.new != .listen else { return [] }
    var time = facts.time
    // When each state was entered, the latest first.
    var entries: [(stay: TopStay, time: UInt64)] = [
      (TopStay(state: facts.new, nanoseconds: present.nanoseconds, kind: present.kind), time)
    ]
    for stay in past.reversed() {
      time -= min(stay.nanoseconds, time)
      entries.append((stay, time))
    }
    entries.reverse()
    var rows: [Transition] = []
    for (index, entry) in entries.enumerated() {
      var row = facts
      row.forgetReadings()
      (row.time, row.new, row.source) = (entry.time, entry.stay.state, .event)
      row.stay = nil
      row.setTime(entry.stay.kind == .exact ? .exact : .atMost, error: nil)
      if index > 0 {
        let before = entries[index - 1].stay
        row.old = before.state
        row.stay = Stay(nanoseconds: before.nanoseconds, kind: before.kind)
      } else if let beginning = Self.beginning(entry.stay) {
        row.old = beginning
      } else {
        (row.old, row.source) = (row.new, .snapshot)
      }
      rows.append(row)
    }
    return rows
  }

  /// From which state it came, if this is the first of a connection and was seen from its beginning.
  private static func beginning(_ first: TopStay) -> TCPState? {
    guard first.kind == .exact else { return nil }
    switch first.state {
    case .synSent: return .closed
    case .synReceived: return .listen
    default: return nil
    }
  }
}
