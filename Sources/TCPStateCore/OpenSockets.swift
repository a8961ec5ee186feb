/// Which sockets are open, and in which state, told by the rows alone: the same rows, live or
/// from a recording, give the same answer.
///
/// A socket is open from its first row until the row that closes it. Each may belong to a group
/// of the caller's, that of its latest row.
public struct OpenSockets {
  private struct Entry {
    var state: TCPState
    var group: Int32
  }

  private var entries: [UInt64: Entry] = [:]
  /// Rows whose old state wasn't the one that their socket was in.
  public private(set) var unmatched: UInt64 = 0

  public init() {}

  /// Sockets that are open.
  public var count: Int { entries.count }

  /// Takes in the next row.
  ///
  /// - Parameter change: is told of each count that changes: the group, the state, and by how much.
  public mutating func apply(
    _ row: borrowing Transition, group: Int32 = 0, _ change: (Int32, TCPState, Int64) -> Void = { _, _, _ in }
  ) {
    if row.new == .closed {
      guard let entry = entries.removeValue(forKey: row.connection) else { return }
      if entry.state != row.old { unmatched += 1 }
      return change(entry.group, entry.state, -1)
    }
    if let entry = entries.updateValue(Entry(state: row.new, group: group), forKey: row.connection) {
      if entry.state != row.old { unmatched += 1 }
      change(entry.group, entry.state, -1)
    }
    change(group, row.new, 1)
  }

  /// How many are open in each state, by `TCPState.number`.
  public var counts: [UInt64] {
    var counts = [UInt64](repeating: 0, count: 256)
    for entry in entries.values { counts[Int(entry.state.number)] += 1 }
    return counts
  }
}
