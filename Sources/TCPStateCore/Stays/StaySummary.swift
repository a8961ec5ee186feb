// SPDX-License-Identifier: Apache-2.0

/// The fold behind `summary`: how long sockets stay in each state, by group, and how many are open.
///
/// It depends on the rows alone, so the same rows give the same result, live or recorded, whole or in parts.
/// Stays can be added in any order, but which sockets are open depends on the order. Therefore a part of a
/// recording only collects what its rows say about that, and the whole applies it in the order of the rows.
public struct StaySummary: ~Copyable {
  public let filter: RowFilter
  private let wantsAll: Bool
  private let isPart: Bool
  public private(set) var tally: StayTally
  public private(set) var sockets = OpenSockets()
  private var timeWaitEnds = TimeWaitEnds()
  /// What a part has collected.
  private var steps: [SocketStep] = []
  /// Transitions of wanted connections.
  public private(set) var transitions: UInt64 = 0
  /// How often each transition was made; empty unless they are counted.
  public private(set) var moves = MoveTally()
  /// Whether they are, which costs a little.
  public let countsMoves: Bool
  /// Open sockets by `TCPState.number`, if there are no rows to derive them from.
  private var countedOpen: [OpenStays]?
  /// As of when sockets are open: the latest time seen, on the rows' clock.
  private var now: UInt64 = 0

  /// - Parameters:
  ///   - isPart: whether it covers a part of a recording; see `exchangeSteps`.
  ///   - countsMoves: whether `moves` is wanted.
  public init(keys: [SummaryKey], filter: RowFilter, isPart: Bool = false, countsMoves: Bool = false) {
    self.filter = filter
    self.countsMoves = countsMoves
    self.isPart = isPart
    wantsAll = filter.wantsAll
    tally = StayTally(keys: keys)
  }

  /// Makes a summary of what the kernel side has counted, without groups.
  ///
  /// - Parameter open: open sockets by `TCPState.number`.
  public init(_ stays: AggregatedStays, open: [OpenStays]) {
    self.init(keys: [], filter: RowFilter())
    tally = StayTally(stays)
    transitions = stays.transitions
    countedOpen = open
  }

  /// Applies the next row.
  @inline(__always)
  public mutating func receive(_ row: borrowing Transition) {
    // What was lost before a marker may have ended the stays that seem to go on.
    if row.time > now, !row.isLossMarker { now = row.time }
    if !wantsAll, !filter.wants(row) { return note(SocketStep(forgetting: row.connection)) }
    let group = tally.group(of: row)
    note(SocketStep(row, group: group))
    if row.isFound { return }
    transitions += 1
    let old = row.old
    guard filter.states.isEmpty || filter.states.contains(old) else { return }
    let stay = row.stay
    if let longerThan = filter.longerThan {
      guard let stay, stay.nanoseconds >= longerThan else { return }
    }
    let move = Move(old, row.new)
    if move.endsConnection { tally.recordEnd(row.reason ?? .unknown, group: group) }
    if countsMoves { moves.record(move, stay) }
    if let stay { tally.record(stay, in: old, group: group) }
  }

  /// Whether reasons and transitions are known, as they are from rows but not from what the kernel side has counted.
  public var knowsRows: Bool { countedOpen == nil }

  /// Applies the next live row. If the end of a TIME-WAIT isn't reported, the socket counts as open for as long as
  /// TIME-WAIT can last.
  ///
  /// - Parameter now: nanoseconds, on the same clock as for `endTimeWaits`.
  public mutating func receive(_ row: borrowing Transition, now: UInt64) {
    receive(row)
    if row.new == .timeWait { timeWaitEnds.note(row.connection, at: now) }
  }

  /// Stops counting sockets as open whose TIME-WAIT must be over.
  ///
  /// - Parameter now: nanoseconds, on a clock that is never set.
  public mutating func endTimeWaits(now: UInt64) {
    timeWaitEnds.takeOver(at: now) { sockets.endTimeWait($0) }
  }

  @inline(__always)
  private mutating func note(_ step: SocketStep) {
    if isPart { steps.append(step) } else { sockets.apply(step) }
  }

  /// Takes what a part has collected since the last call, with its own group numbers, and leaves `empty` for more.
  public mutating func exchangeSteps(_ empty: inout [SocketStep]) { swap(&steps, &empty) }

  /// Applies what a part has collected. Parts must come in the order of their rows.
  ///
  /// - Parameter groups: this summary's number for each of the part's groups.
  public mutating func apply(_ steps: [SocketStep], groups: [Int32]) {
    for var step in steps {
      step.group = groups[Int(step.group)]
      sockets.apply(step)
    }
  }

  /// This summary's number for a part's group.
  public mutating func number(of group: SummaryGroup) -> Int32 { tally.number(of: group) }

  /// Adds the stays of a part, in any order.
  public mutating func mergeStays(_ part: borrowing StaySummary) {
    tally.merge(part.tally)
    moves.merge(part.moves)
    transitions += part.transitions
    now = max(now, part.now)
  }

  /// Time passes without rows.
  ///
  /// - Parameter time: on the rows' clock.
  public mutating func advance(to time: UInt64) { now = max(now, time) }

  /// How many sockets are open, by group and then by `TCPState.number`.
  public func openNow() -> [UInt64] {
    openStays().map(\.count)
  }

  /// How many are, and since when, in the same order.
  public func openStays() -> [OpenStays] {
    if let countedOpen { return countedOpen }
    var stays = [OpenStays](repeating: OpenStays(), count: tally.groups.count * TCPState.arraySize)
    sockets.forEach(now: now) { state, group, age in
      guard state.isKnown, filter.states.isEmpty || filter.states.contains(state) else { return }
      stays[Int(group) * TCPState.arraySize + Int(state.number)].add(age)
    }
    return stays
  }
}
