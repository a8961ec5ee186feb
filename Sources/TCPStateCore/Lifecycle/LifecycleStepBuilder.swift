// SPDX-License-Identifier: Apache-2.0
extension Lifecycle {
  /// The steps of this life in the order in which they happened.
  ///
  /// Each transition that was seen is a step, and so is what it implies for an end that
  /// wasn't seen. A step's time is the clock's. If the clock readings of two ends are only
  /// microseconds apart, the cause is placed before the effect all the same.
  public var steps: [LifecycleStep] {
    var builder = LifecycleStepBuilder(self)
    return builder.build()
  }

  /// The state of `side` before the first step; `nil` if not known.
  public func initialState(of side: Side) -> TCPState? {
    if let first = self[side]?.moments.first {
      return first.old
    }
    if let found = self[side]?.found { return found.state }
    guard beginningSeen, !isSelfConnected else { return nil }
    if side == .client { return .closed }
    if isSimultaneousOpen { return .closed }
    // The server has answered, unless it was never asked.
    if let established = client?.moment(entering: .established) {
      return established.segmentsSent == 0 ? nil : .listen
    }
    return client?.facts.reason == .refused ? .closed : nil
  }
}

/// Turns the transitions of one or two ends into the textbook's steps.
struct LifecycleStepBuilder {
  struct Draft {
    var step: LifecycleStep
    /// When it happened. An implied step has the time of the step that implies it.
    var time: UInt64
    /// The textbook's order, for steps with the same time.
    var rank: Int
  }

  let life: Lifecycle
  let sequences: LifecycleSequences
  var drafts: [Draft] = []

  init(_ life: Lifecycle) {
    self.life = life
    sequences = LifecycleSequences(life)
  }

  mutating func build() -> [LifecycleStep] {
    for side in Side.allCases {
      guard let end = life[side] else { continue }
      for index in end.moments.indices { add(end, index, side) }
    }
    let drafts = ordered()
    let timeline = LifecycleStates(drafts, causes: causes)
    var steps = drafts.map(\.step)
    for index in steps.indices {
      steps[index].clientState = timeline.state(of: .client, after: index, initially: life.initialState(of: .client))
      steps[index].serverState = timeline.state(of: .server, after: index, initially: life.initialState(of: .server))
    }
    return steps
  }

  private mutating func add(_ end: LifecycleEnd, _ index: Int, _ side: Side) {
    let moment = end.moments[index]
    switch (moment.old, moment.new) {
    case (.closed, .synSent), (.listen, .synReceived), (.synSent, .synReceived), (.synSent, .established),
      (.synReceived, .established):
      addHandshake(end, index, side)
    case (_, .finWait1), (_, .closeWait), (_, .finWait2), (_, .lastAck), (_, .closing), (_, .timeWait),
      (.lastAck, .closed), (.timeWait, .closed):
      addClose(end, index, side)
    default:
      addEnding(end, index, side)
    }
  }

  // MARK: - Making steps

  /// A step that was seen.
  func observed(
    _ phase: LifecycleStep.Phase, _ number: UInt8?, _ end: LifecycleEnd, _ index: Int, _ side: Side
  ) -> LifecycleStep {
    let moment = end.moments[index]
    var step = LifecycleStep(phase, number, side, moment.source == .event ? .observed : .found)
    step.time = moment.time
    // Recordings without the column: an end that isn't an event was found at that time or later.
    step.timeKind = moment.timeKind ?? (moment.source == .derived && moment.new == .closed ? .atLeast : .exact)
    step.timeError = moment.timeError
    step.state = moment.new
    step.stay = end.stay(after: index)
    if moment.actorPID != end.facts.ownerPID {
      step.actorPID = moment.actorPID
      step.actorName = moment.actorName
    }
    return step
  }

  mutating func add(_ step: LifecycleStep, at time: UInt64, rank: Int) {
    drafts.append(Draft(step: step, time: time, rank: rank))
  }

  /// Adds an implied step, unless its side was seen to enter that state, or not to enter it.
  ///
  /// An end that was first seen later has been in that state too; its beginning was missed.
  mutating func imply(_ step: LifecycleStep, at time: UInt64, rank: Int) {
    guard !life.isSelfConnected, let state = step.state, life[step.side]?.moment(entering: state) == nil,
      life[step.side]?.shows(state, at: time) != true
    else { return }
    add(step, at: time, rank: rank)
  }

  // MARK: - Order

  private func ordered() -> [Draft] {
    var sorted = drafts.enumerated().sorted { a, b in
      (a.element.time, a.element.rank, a.offset) < (b.element.time, b.element.rank, b.offset)
    }.map(\.element)
    // The end that answers may have reached its tracepoint before the end that asked.
    var index = 0
    while index < sorted.count {
      if let cause = sorted[(index + 1)...].firstIndex(where: { causes($0.step, sorted[index].step) }),
        sorted[cause].time &- sorted[index].time < 5_000_000
      {
        let effect = sorted.remove(at: index)
        sorted.insert(effect, at: cause)
        continue
      }
      index += 1
    }
    return sorted
  }

  private func causes(_ cause: LifecycleStep, _ effect: LifecycleStep) -> Bool {
    guard let first = cause.number, let second = effect.number, cause.phase == effect.phase,
      cause.side != effect.side, cause.segment != nil
    else { return false }
    if cause.phase == .handshake { return first < second }
    switch (first, second) {
    case (2, 3), (3, 4), (5, 4), (5, 6), (6, 7): return true
    default: return false
    }
  }
}
