// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// Rows whose connection may turn out to be a wanted process's.
///
/// Under a filter of processes, a server's first rows have the listener's owner, or none: the process that accepts the
/// connection isn't known yet. They wait until it is, which takes about a second at most, and are then shown with it.
struct HeldOwners {
  /// How long a row waits.
  private static let patience: UInt64 = 2_000_000_000
  /// Rows of one connection, and connections. What is too much isn't kept.
  private static let (rowLimit, limit) = (8, 100_000)

  private let filter: RowFilter
  private let isActive: Bool
  private var rows: [UInt64: [Transition]] = [:]
  private var lastSweep: UInt64 = 0

  var isEmpty: Bool { rows.isEmpty }

  init(_ filter: RowFilter) {
    self.filter = filter
    isActive = !filter.pids.isEmpty || !filter.processes.isEmpty
  }

  /// Keeps the row back if it isn't wanted only because its owner isn't known.
  // Inlined for the same reason as in `HeldRows`.
  @inline(__always)
  mutating func holds(_ row: borrowing Transition) -> Bool {
    guard isActive, row.role == .server, row.lacksOwner, row.new != .closed, row.old != row.new else { return false }
    return keeps(row)
  }

  private mutating func keeps(_ row: borrowing Transition) -> Bool {
    guard !filter.wants(row) else { return false }
    let connection = row.connection
    var held = rows[connection] ?? []
    if held.isEmpty, rows.count >= Self.limit { return false }
    if held.count < Self.rowLimit { held.append(copy row) }
    rows[connection] = held
    return true
  }

  /// The rows that waited for this one, which has their connection's owner.
  mutating func release(_ row: borrowing Transition) -> [Transition] {
    guard !rows.isEmpty, row.new == .closed ? true : !row.lacksOwner else { return [] }
    guard var earlier = rows.removeValue(forKey: row.connection) else { return [] }
    for index in earlier.indices {
      earlier[index].ownerPID = row.ownerPID
      earlier[index].ownerName = row.ownerName
      earlier[index].ownerKind = row.ownerKind
      if earlier[index].workload.isUnknown { earlier[index].workload = row.workload }
    }
    return earlier
  }

  /// Gives up what has waited too long: nobody has accepted it. `now` is on the rows' clock.
  mutating func sweep(now: UInt64) {
    guard !rows.isEmpty, now > lastSweep &+ 500_000_000 else { return }
    lastSweep = now
    rows = rows.filter { ($0.value.last?.time ?? 0) &+ Self.patience > now }
  }
}

extension Transition {
  /// Whether no process was seen with the connection.
  fileprivate var lacksOwner: Bool { ownerPID == nil || ownerKind == .inherited }
}
