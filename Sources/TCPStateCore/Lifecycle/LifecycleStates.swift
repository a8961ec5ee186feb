// SPDX-License-Identifier: Apache-2.0

/// The states of both ends over the steps of a life.
///
/// A step whose time is only a bound may have happened before or after steps of the other end. The state is then
/// unknown there, unless one of them caused the other.
struct LifecycleStates {
  private let drafts: [LifecycleStepBuilder.Draft]
  /// When each step happened at the earliest and at the latest.
  private var earliest: [UInt64]
  private var latest: [UInt64]

  init(_ drafts: [LifecycleStepBuilder.Draft], causes: (LifecycleStep, LifecycleStep) -> Bool) {
    self.drafts = drafts
    earliest = drafts.map { draft in
      guard draft.step.basis.isSeen, draft.step.timeKind == .atMost else { return draft.time }
      return draft.step.timeError.map { draft.time - min($0, draft.time) } ?? 0
    }
    latest = drafts.map { draft in
      guard draft.step.basis.isSeen, draft.step.timeKind == .atLeast else { return draft.time }
      return draft.step.timeError.map { draft.time.saturatingAdding($0) } ?? .max
    }
    for index in drafts.indices where earliest[index] != latest[index] {
      for other in drafts.indices where other != index {
        if causes(drafts[other].step, drafts[index].step) { earliest[index] = max(earliest[index], drafts[other].time) }
        if causes(drafts[index].step, drafts[other].step) { latest[index] = min(latest[index], drafts[other].time) }
      }
    }
  }

  /// - Returns: the state of `side` right after a step; `nil` if it isn't known.
  func state(of side: Side, after index: Int, initially state: TCPState?) -> TCPState? {
    let isOwn = drafts[index].step.side == side
    let last = drafts[...index].lastIndex { $0.step.side == side && $0.step.state != nil }
    if let last, !isOwn, latest[last] > drafts[index].time { return nil }
    let next = drafts[(index + 1)...].firstIndex { $0.step.side == side && $0.step.state != nil }
    if let next, !isOwn, earliest[next] < drafts[index].time { return nil }
    return last.map { drafts[$0].step.state } ?? state
  }
}
