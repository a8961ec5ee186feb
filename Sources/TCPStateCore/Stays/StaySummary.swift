/// The fold behind `summary`: how long sockets stay in each state, per group, and how many are open.
///
/// It rests on the rows alone, so live or read back, at once or in parts, the same rows give the same.
/// Stays add up in any order; which sockets are open doesn't, so a part of a recording only notes what its rows
/// say about that, for the whole to take in in the order of the rows.
public struct StaySummary: ~Copyable {
  public let filter: RowFilter
  private let wantsAll: Bool
  private let isPart: Bool
  public private(set) var tally: StayTally
  public private(set) var sockets = OpenSockets()
  private var timeWaitEnds = TimeWaitEnds()
  /// A part's notes.
  private var steps: [SocketStep] = []
  /// Transitions of wanted connections.
  public private(set) var transitions: UInt64 = 0
  /// Where no row tells, by `TCPState.number`.
  private var countedOpen: [UInt64]?

  /// - Parameter isPart: it begins somewhere in a recording; see `exchangeSteps`.
  public init(keys: [SummaryKey], filter: RowFilter, isPart: Bool = false) {
    self.filter = filter
    self.isPart = isPart
    wantsAll = filter.wantsAll
    tally = StayTally(keys: keys)
  }

  /// What the kernel side has counted, without groups.
  ///
  /// - Parameter openNow: by `TCPState.number`.
  public init(_ stays: AggregatedStays, openNow: [UInt64]) {
    self.init(keys: [], filter: RowFilter())
    tally = StayTally(stays)
    transitions = stays.transitions
    countedOpen = openNow
  }

  /// Takes in the next row.
  @inline(__always)
  public mutating func receive(_ row: borrowing Transition) {
    if !wantsAll, !filter.wants(row) { return note(SocketStep(forgetting: row.connection)) }
    let group = tally.group(of: row)
    note(SocketStep(row, group: group))
    if row.isFound { return }
    transitions += 1
    let old = row.old
    guard let stay = row.stay, filter.states.isEmpty || filter.states.contains(old),
      stay.nanoseconds >= filter.longerThan ?? 0
    else { return }
    tally.record(stay, in: old, group: group)
  }

  /// Likewise, live: what enters TIME-WAIT is open for as long as that may last, if nobody tells its end.
  ///
  /// - Parameter now: on the clock of `endTimeWaits`.
  public mutating func receive(_ row: borrowing Transition, now: UInt64) {
    receive(row)
    if row.new == .timeWait { timeWaitEnds.note(row.connection, at: now) }
  }

  /// Counts those no longer as open whose TIME-WAIT must be over.
  ///
  /// - Parameter now: nanoseconds, of a clock that isn't set.
  public mutating func endTimeWaits(now: UInt64) {
    timeWaitEnds.takeOver(at: now) { sockets.endTimeWait($0) }
  }

  @inline(__always)
  private mutating func note(_ step: SocketStep) {
    if isPart { steps.append(step) } else { sockets.apply(step) }
  }

  /// Takes what a part has noted since the last time, by its own numbers of groups, and leaves `empty` for more.
  public mutating func exchangeSteps(_ empty: inout [SocketStep]) { swap(&steps, &empty) }

  /// Takes in what a part has noted; parts come in the order of their rows.
  ///
  /// - Parameter groups: this one's number of each of the part's groups.
  public mutating func apply(_ steps: [SocketStep], groups: [Int32]) {
    for var step in steps {
      step.group = groups[Int(step.group)]
      sockets.apply(step)
    }
  }

  /// This one's number of a part's group.
  public mutating func number(of group: SummaryGroup) -> Int32 { tally.number(of: group) }

  /// Takes in the stays of a part, in any order.
  public mutating func mergeStays(_ part: borrowing StaySummary) {
    tally.merge(part.tally)
    transitions += part.transitions
  }

  /// How many sockets are open, by group and then `TCPState.number`.
  public func openNow() -> [UInt64] {
    if let countedOpen { return countedOpen }
    var counts = [UInt64](repeating: 0, count: tally.groups.count * TCPState.arraySize)
    sockets.forEach { state, group in
      guard state.isKnown, filter.states.isEmpty || filter.states.contains(state) else { return }
      counts[Int(group) * TCPState.arraySize + Int(state.number)] += 1
    }
    return counts
  }
}
