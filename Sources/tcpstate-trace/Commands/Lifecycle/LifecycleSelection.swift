// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// Which lives are drawn.
///
/// A life is wanted if either of its ends is, so the twin of a wanted end must
/// be followed too, though no filter names it.
struct LifecycleSelection {
  let filter: RowFilter
  let connection: UInt64?
  /// The part of the filter that also holds for a twin, seen with its endpoints swapped.
  private let endpoints: RowFilter

  init(_ filter: RowFilter, connection: UInt64?) {
    self.filter = filter
    self.connection = connection
    var endpoints = filter
    endpoints.pids = []
    endpoints.processes = []
    endpoints.netns = nil
    self.endpoints = endpoints
  }

  /// What the kernel may leave out: the twin of a wanted end is another filter's, so only what both ends share.
  var shared: RowFilter {
    var shared = RowFilter()
    shared.family = filter.family
    return shared
  }

  /// Whether the row can belong to a wanted life.
  func mayMatter(_ row: Transition) -> Bool {
    if row.local.port == 0 || endpoints.wants(row) { return true }
    var swapped = row
    swapped.local = row.peer
    swapped.peer = row.local
    return endpoints.wants(swapped)
  }

  func wants(_ life: Lifecycle) -> Bool {
    if let connection, life.side(of: connection) == nil { return false }
    var isWanted = false
    var isShown = false
    for side in Side.allCases {
      guard let end = life[side] else { continue }
      var row = end.facts
      if let found = end.found {
        row.old = found.state
        row.new = found.state
        row.stay = nil
        isWanted = isWanted || filter.wants(row)
        isShown = isShown || filter.shows(row)
      }
      for moment in end.moments {
        row.actorPID = moment.actorPID
        row.actorName = moment.actorName
        row.old = moment.old
        row.new = moment.new
        row.stay = moment.stay
        isWanted = isWanted || filter.wants(row)
        isShown = isShown || filter.shows(row)
      }
    }
    return isWanted && isShown
  }
}
