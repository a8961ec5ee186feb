/// The fold behind `summary`: how long sockets stay in each state, per group, and how many are open.
///
/// It rests on the rows alone, so live or read back, at once or in parts, the same rows give the same.
public struct StaySummary: ~Copyable {
  public let filter: RowFilter
  public private(set) var tally: StayTally
  public private(set) var sockets: OpenSockets
  /// Transitions of wanted connections.
  public private(set) var transitions: UInt64 = 0
  /// Where no row tells, by `TCPState.number`.
  private var countedOpen: [UInt64]?

  /// - Parameter isPart: it begins somewhere in a recording; see `merge`.
  public init(keys: [SummaryKey], filter: RowFilter, isPart: Bool = false) {
    self.filter = filter
    tally = StayTally(keys: keys)
    sockets = OpenSockets(isPart: isPart)
  }

  /// What the kernel side has counted, without groups.
  ///
  /// - Parameter openNow: by `TCPState.number`.
  public init(_ stays: AggregatedStays, openNow: [UInt64]) {
    filter = RowFilter()
    tally = StayTally(stays)
    sockets = OpenSockets()
    transitions = stays.transitions
    countedOpen = openNow
  }

  /// Takes in the next row.
  @inline(__always)
  public mutating func receive(_ row: borrowing Transition) {
    guard filter.wants(row) else { return sockets.forget(row.connection) }
    let group = tally.group(of: row)
    sockets.apply(row, group: group)
    if row.isFound { return }
    transitions += 1
    let old = row.old
    guard let stay = row.stay, filter.states.isEmpty || filter.states.contains(old),
      stay.nanoseconds >= filter.longerThan ?? 0
    else { return }
    tally.record(stay, in: old, group: group)
  }

  /// Takes in which sockets a part opened and closed; parts come in the order of their rows.
  ///
  /// The part forgets them, to be used for another; its stays stay for `mergeStays`.
  public mutating func mergeSockets(_ part: inout StaySummary) {
    let groups = part.tally.groups.map { tally.number(of: $0) }
    sockets.merge(part.sockets, groups: groups)
    part.sockets.removeAll()
  }

  /// Takes in the stays of all the parts that one worker has seen, in any order.
  public mutating func mergeStays(_ part: borrowing StaySummary) {
    tally.merge(part.tally)
    transitions += part.transitions
  }

  /// Goes on with the stays of another part, which keeps its sockets and the numbers of its groups.
  public mutating func takeStays(from part: inout StaySummary) {
    swap(&tally, &part.tally)
    part.tally = StayTally(groupsOf: tally)
    (transitions, part.transitions) = (part.transitions, 0)
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
