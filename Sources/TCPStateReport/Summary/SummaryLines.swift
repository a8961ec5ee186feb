// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// The result of `summary`, in the order shown: one line per group and state.
public struct SummaryLines {
  public struct Line {
    /// `nil` for all groups beyond those shown, or counted, by themselves.
    public let group: SummaryGroup?
    public let summary: StateSummary
    public let cell: StayCell?
  }

  /// Why connections of a group ended.
  public struct End {
    /// `nil` for all groups beyond those shown, or counted, by themselves.
    public let group: SummaryGroup?
    public let reason: Reason
    public let count: UInt64
    /// Of the group's ends, for all reasons.
    public let ofAll: UInt64
  }

  public let keys: [SummaryKey]
  public private(set) var lines: [Line] = []
  /// In the order of the groups, each one's most frequent reason first; empty where reasons aren't counted.
  public private(set) var ends: [End] = []
  /// The number of groups that have no lines of their own.
  public private(set) var others = 0
  /// Whether there were too many groups to count each by itself.
  public let isOverLimit: Bool

  private struct Ranked {
    let number: Int
    /// The longest stay in CLOSE-WAIT that goes on, if it is long enough for a leak; else 0.
    let leak: UInt64
    /// Of stays that have ended, and of connections' stays that go on.
    let total: UInt64
    let open: UInt64
    let texts: [String]
  }

  /// How long a socket may be in CLOSE-WAIT before its group comes first, as for `stuck`: 60 s.
  private static let leakAge: UInt64 = 60_000_000_000

  /// - Parameter top: how many groups get lines of their own: first those with a socket that has been in CLOSE-WAIT for a
  ///   minute and still is, the oldest first, then those with the longest total time, open stays included.
  public init(_ summary: borrowing StaySummary, top: Int = .max) {
    keys = summary.tally.keys
    isOverLimit = summary.tally.isOverLimit
    let open = summary.openStays()
    guard !keys.isEmpty else {
      add(nil, [0], summary, open)
      return
    }
    var ranked: [Ranked] = []
    for number in summary.tally.groups.indices.dropFirst() {
      let entry = Self.rank(number, summary, open)
      if entry.total > 0 || entry.open > 0 || Self.hasStays(number, summary) { ranked.append(entry) }
    }
    ranked.sort(by: Self.isBefore)
    for entry in ranked.prefix(top) { add(summary.tally.groups[entry.number], [entry.number], summary, open) }
    let rest = ranked.dropFirst(top).map(\.number)
    others = rest.count
    add(nil, [0] + rest, summary, open)
  }

  private static func hasStays(_ number: Int, _ summary: borrowing StaySummary) -> Bool {
    for state in TCPState.all where summary.tally.cell(Int32(number), state) != nil { return true }
    return Reason.allCases.contains { summary.tally.ends(Int32(number), $0) > 0 }
  }

  private static func rank(_ number: Int, _ summary: borrowing StaySummary, _ open: [OpenStays]) -> Ranked {
    var total: UInt64 = 0
    var openNow: UInt64 = 0
    var leak: UInt64 = 0
    for state in TCPState.all {
      let time = summary.tally.cell(Int32(number), state)?.counts.histogram.total ?? 0
      let stays = open[number * TCPState.arraySize + Int(state.number)]
      total = total.saturatingAdding(time)
      // A listener is meant to be open.
      if state != .listen { total = total.saturatingAdding(stays.total) }
      if state == .closeWait, let oldest = stays.oldest, oldest >= Self.leakAge { leak = oldest }
      openNow += stays.count
    }
    let group = summary.tally.groups[number]
    return Ranked(
      number: number, leak: leak, total: total, open: openNow,
      texts: [SummaryText.machine(group.first), SummaryText.machine(group.second)])
  }

  /// A total order: the same groups are ranked the same, in whatever order they arrived.
  private static func isBefore(_ a: Ranked, _ b: Ranked) -> Bool {
    if a.leak != b.leak { return a.leak > b.leak }
    if a.total != b.total { return a.total > b.total }
    if a.open != b.open { return a.open > b.open }
    return a.texts.lexicographicallyPrecedes(b.texts)
  }

  private mutating func addEnds(_ group: SummaryGroup?, _ numbers: [Int], _ summary: borrowing StaySummary) {
    var counts: [(reason: Reason, count: UInt64)] = []
    for reason in Reason.allCases {
      var count: UInt64 = 0
      for number in numbers { count += summary.tally.ends(Int32(number), reason) }
      if count > 0 { counts.append((reason, count)) }
    }
    counts.sort { $0.count == $1.count ? $0.reason.rawValue < $1.reason.rawValue : $0.count > $1.count }
    let all = counts.reduce(0) { $0 + $1.count }
    ends += counts.map { End(group: group, reason: $0.reason, count: $0.count, ofAll: all) }
  }

  private mutating func add(
    _ group: SummaryGroup?, _ numbers: [Int], _ summary: borrowing StaySummary, _ open: [OpenStays]
  ) {
    addEnds(group, numbers, summary)
    for state in TCPState.all where state != .closed {
      var cell: StayCell?
      var stays = OpenStays()
      for number in numbers {
        stays.add(open[number * TCPState.arraySize + Int(state.number)])
        guard let part = summary.tally.cell(Int32(number), state) else { continue }
        if numbers.count == 1 {
          cell = part
        } else {
          let sum = cell ?? StayCell()
          sum.merge(part)
          cell = sum
        }
      }
      var line = cell?.summary(of: state, openNow: stays.count) ?? StateSummary(state: state)
      line.openNow = stays.count
      (line.oldestOpen, line.oldestOpenIsLowerBound) = (stays.oldest, stays.oldestIsLowerBound)
      if line.stays > 0 || stays.count > 0 { lines.append(Line(group: group, summary: line, cell: cell)) }
    }
  }
}
