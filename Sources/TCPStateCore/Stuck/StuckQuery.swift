// SPDX-License-Identifier: Apache-2.0

/// Which sockets `stuck` looks for.
public struct StuckQuery: Sendable {
  public var states: Set<TCPState>
  /// The least time in the state, in nanoseconds. Sockets of which this isn't certain are reported apart; see `StuckReading.uncertain`.
  public var olderThan: UInt64
  /// Its states and durations are not used; see `states` and `olderThan`.
  public var filter: RowFilter
  /// Look for this connection only.
  public var connection: UInt64?

  public init(states: Set<TCPState> = [.closeWait], olderThan: UInt64 = 60_000_000_000, filter: RowFilter = RowFilter())
  {
    self.states = states
    self.olderThan = olderThan
    self.filter = filter
  }

  /// Whether a socket in this state can match.
  func wants(_ id: UInt64, _ state: TCPState) -> Bool {
    states.contains(state) && (connection == nil || connection == id)
  }

  /// Whether the socket matches the filter, by its ends, its workload and the processes responsible for it.
  public func wants(_ socket: borrowing StuckSocket) -> Bool {
    var row = Transition()
    row.local = socket.local
    row.peer = socket.peer
    row.netns = socket.netns
    row.workload = socket.workload
    guard !filter.pids.isEmpty || !filter.processes.isEmpty else { return filter.wants(row) }
    for process in socket.responsible + [socket.maker].compactMap({ $0 }) {
      row.ownerPID = process.pid
      row.ownerName = process.name
      if filter.wants(row) { return true }
    }
    return false
  }
}
