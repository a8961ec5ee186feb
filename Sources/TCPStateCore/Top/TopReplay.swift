// SPDX-License-Identifier: Apache-2.0

/// A recording in `top`: its board at any moment.
///
/// Pure. Moving forward applies the rows in between; moving back starts over.
public struct TopReplay: Sendable {
  /// How the user moves in time.
  public enum Travel: Sendable, Equatable {
    /// By one step.
    case back, forward
    /// To the previous or next transition.
    case previous, next
    case start, end
    /// Make the step shorter or longer.
    case finer, coarser
    /// Start or stop playing.
    case play
  }

  /// How many seconds sparklines cover, as in the live view.
  private static let memory: UInt64 = 60
  private static let second: UInt64 = 1_000_000_000
  /// The available steps in nanoseconds, 1 ms to 1 h.
  private static let steps: [UInt64] = [
    1_000_000, 10_000_000, 100_000_000, second, 10 * second, 60 * second, 600 * second, 3600 * second,
  ]

  /// In the order of their times.
  private let rows: [Transition]
  /// How many rows have been applied.
  private var taken = 0
  private var sockets = RecordedSockets()
  private var history = TopHistory()
  private var perSecond: [UInt64] = []
  private var counts: [[UInt64]] = Array(repeating: [], count: TCPState.arraySize)
  private var transitions: UInt64 = 0
  /// Transitions before the second that was sampled last.
  private var transitionsBefore: UInt64 = 0
  /// The second that was sampled last, counted from the start.
  private var sampledSecond: UInt64?
  private var stepIndex = 3

  /// When the recording begins, nanoseconds since the epoch.
  public let start: UInt64
  /// When it ends, likewise.
  public let end: UInt64
  /// The moment shown, nanoseconds since the epoch.
  public private(set) var time: UInt64
  public private(set) var isPlaying = false
  /// Events lost, from the gaps in the recording.
  public let lost: UInt64
  private let filter: RowFilter

  /// - Parameters:
  ///   - rows: a recording's rows in their order.
  ///   - span: when the recording begins and ends; earlier rows are sockets that existed before.
  ///   - lost: events lost.
  ///   - filter: which connections are shown and counted.
  public init(
    _ rows: [Transition], span: ClosedRange<UInt64>, lost: UInt64, filter: RowFilter = RowFilter()
  ) {
    self.filter = filter
    // The end of TIME-WAIT may be reported later than it happened. Rows with equal times keep their order.
    self.rows = Self.sorted(rows)
    (start, end) = (span.lowerBound, span.upperBound)
    self.lost = lost
    time = start
    move(to: start)
  }

  /// Most recordings are in order, and a copy of all rows takes a lot of memory.
  private static func sorted(_ rows: [Transition]) -> [Transition] {
    guard zip(rows, rows.dropFirst()).contains(where: { $0.time > $1.time }) else { return rows }
    return rows.indices.sorted { (rows[$0].time, $0) < (rows[$1].time, $1) }.map { rows[$0] }
  }

  public var step: UInt64 { Self.steps[stepIndex] }

  /// Moves to another moment within the recording.
  public mutating func move(to wanted: UInt64) {
    let wanted = max(start, min(wanted, end))
    if wanted < time { forgetAll() }
    let present = (wanted - start) / Self.second
    var first = sampledSecond ?? 0
    if present - first >= Self.memory {
      // Too long ago to be shown.
      forgetSamples()
      first = present - Self.memory + 1
      take(until: start + first * Self.second - 1)
    }
    for second in first...present {
      if second != sampledSecond { transitionsBefore = transitions }
      let moment = min(wanted, start + (second + 1) * Self.second - 1)
      take(until: moment)
      sample(second, at: moment)
    }
    time = wanted
  }

  private mutating func forgetAll() {
    (taken, transitions, transitionsBefore) = (0, 0, 0)
    (sockets, history) = (RecordedSockets(), TopHistory())
    forgetSamples()
  }

  private mutating func forgetSamples() {
    sampledSecond = nil
    perSecond = []
    counts = Array(repeating: [], count: TCPState.arraySize)
  }

  private mutating func take(until limit: UInt64) {
    while taken < rows.count, rows[taken].time <= limit {
      sockets.receive(rows[taken])
      history.receive(rows[taken])
      if rows[taken].old != rows[taken].new, filter.wants(rows[taken]) { transitions += 1 }
      taken += 1
    }
  }

  /// Samples what the sparklines show for a second, up to the present moment.
  private mutating func sample(_ second: UInt64, at moment: UInt64) {
    let isNew = second != sampledSecond
    sampledSecond = second
    func set(_ value: UInt64, in values: inout [UInt64]) {
      if !isNew, !values.isEmpty { values.removeLast() }
      if values.count == Int(Self.memory) { values.removeFirst() }
      values.append(value)
    }
    set(transitions - transitionsBefore, in: &perSecond)
    let open = openCounts(at: moment)
    for state in TCPState.all { set(open[Int(state.number)], in: &counts[Int(state.number)]) }
  }

  /// How many of the wanted sockets are in each state, by kernel number.
  private func openCounts(at time: UInt64) -> [UInt64] {
    var open = [UInt64](repeating: 0, count: TCPState.arraySize)
    guard !filter.isOpen else {
      for state in TCPState.all { open[Int(state.number)] = sockets.openCount(state) }
      return open
    }
    sockets.forEachOpen(now: time) { row in
      if row.new.isKnown, filter.wants(row), filter.shows(row) { open[Int(row.new.number)] += 1 }
    }
    return open
  }

  /// Moves as the user asks.
  public mutating func travel(_ travel: Travel) {
    switch travel {
    case .back: move(to: time - min(step, time))
    case .forward: move(to: time + min(step, end - time))
    case .previous: if let earlier = rows[..<taken].last(where: { $0.time < time }) { move(to: earlier.time) }
    case .next: if taken < rows.count { move(to: rows[taken].time) }
    case .start: move(to: start)
    case .end: move(to: end)
    case .finer: stepIndex = max(0, stepIndex - 1)
    case .coarser: stepIndex = min(Self.steps.count - 1, stepIndex + 1)
    case .play: isPlaying = !isPlaying && time < end
    }
  }

  /// Lets time pass while it plays.
  public mutating func pass(_ nanoseconds: UInt64) {
    guard isPlaying else { return }
    move(to: time + min(nanoseconds, end - time))
    if time == end { isPlaying = false }
  }

  /// The board at this moment.
  ///
  /// - Parameter wanted: the connection whose details or ladder are shown.
  public func board(_ wanted: UInt64? = nil) -> TopBoard {
    var board = TopBoard()
    board.time = time
    board.lost = lost
    board.transitions = transitions
    (board.perSecond, board.counts) = (perSecond, counts)
    board.recording = TopBoard.Recording(
      start: start, end: end, step: step, isPlaying: isPlaying)
    sockets.forEachOpen(now: time) { row in
      guard filter.wants(row), filter.shows(row) else { return }
      var facts = copy row
      // What the row of its last transition says of the transfer, it says of that moment.
      if facts.time != time, facts.new != .timeWait { facts.forgetReadings() }
      board.rows.append(TopRow(facts))
      if row.connection == wanted { board.facts = facts }
    }
    if let wanted { board.past = history.past(of: wanted) }
    return board
  }

  /// Earlier states of these connections.
  public func pasts(of connections: [UInt64]) -> [UInt64: [TopStay]] {
    Dictionary(connections.map { ($0, history.past(of: $0)) }, uniquingKeysWith: { first, _ in first })
  }

  /// All sockets that are open at this moment, by connection id.
  public func facts() -> [UInt64: Transition] {
    var facts: [UInt64: Transition] = [:]
    sockets.forEachOpen(now: time) { row in facts[row.connection] = copy row }
    return facts
  }

  /// The life of a connection up to this moment, with the other end's if that is in the recording; `nil` if there is
  /// nothing of it.
  public func life(of connection: UInt64) -> Lifecycle? {
    let seen = rows[..<taken]
    guard let last = seen.last(where: { $0.connection == connection }) else { return nil }
    var tracker = LifecycleTracker(waitsForTimeWait: true, takesFound: true)
    var over: Lifecycle?
    for row in seen where row.connection == connection || row.local == last.peer && row.peer == last.local {
      tracker.apply(row) { if $0.side(of: connection) != nil { over = $0 } }
    }
    return tracker.life(of: connection) ?? over
  }
}
