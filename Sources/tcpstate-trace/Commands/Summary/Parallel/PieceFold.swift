// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// One worker's fold: stays add up over all its pieces, steps of sockets are a piece's own.
struct PieceFold: ~Copyable {
  /// The stays of all pieces so far.
  private(set) var stays: StaySummary
  /// How many of its groups its pieces have named; all pieces know the first.
  private var groupsNamed = 1

  init(_ task: ParallelSummary.Task) {
    stays = StaySummary(keys: task.keys, filter: task.filter, isPart: true, countsMoves: task.countsMoves)
  }

  /// - Parameter steps: empty, with memory to use again.
  mutating func begin(reusing steps: consuming [SocketStep]) { stays.exchangeSteps(&steps) }

  @inline(__always)
  mutating func receive(_ row: borrowing Transition) { stays.receive(row) }

  /// What the rows since `begin` say about which sockets are open, and the groups that are new with them.
  mutating func end() -> (steps: [SocketStep], newGroups: [SummaryGroup]) {
    var steps: [SocketStep] = []
    stays.exchangeSteps(&steps)
    let groups = stays.tally.groups
    defer { groupsNamed = groups.count }
    return (steps, Array(groups[groupsNamed...]))
  }
}
