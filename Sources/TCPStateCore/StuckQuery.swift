/// Which sockets `stuck` is asked for.
public struct StuckQuery: Sendable {
  public var states: Set<TCPState>
  /// Nanoseconds in the state at the least; those of unknown age count only if this is 0.
  public var olderThan: UInt64
  /// Its states and durations are not used: these are above.
  public var filter: RowFilter

  public init(states: Set<TCPState> = [.closeWait], olderThan: UInt64 = 60_000_000_000, filter: RowFilter = RowFilter())
  {
    self.states = states
    self.olderThan = olderThan
    self.filter = filter
  }

  /// Whether the socket is one that was asked for, by what it is and who is responsible for it.
  public func wants(_ socket: borrowing StuckSocket) -> Bool {
    var row = Transition()
    row.local = socket.local
    row.peer = socket.peer
    row.netns = socket.netns
    guard !filter.pids.isEmpty || !filter.processes.isEmpty else { return filter.wants(row) }
    for process in socket.responsible {
      row.ownerPID = process.pid
      row.ownerName = process.name
      if filter.wants(row) { return true }
    }
    return false
  }
}
