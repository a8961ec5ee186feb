/// Which sockets `stuck` is asked for.
public struct StuckQuery: Sendable {
  public var states: Set<TCPState>
  /// Nanoseconds in the state at the least; those of unknown age count only if this is 0.
  public var olderThan: UInt64
  /// Its states and durations are not used: these are above.
  public var filter: RowFilter
  /// This one alone.
  public var connection: UInt64?

  public init(states: Set<TCPState> = [.closeWait], olderThan: UInt64 = 60_000_000_000, filter: RowFilter = RowFilter())
  {
    self.states = states
    self.olderThan = olderThan
    self.filter = filter
  }

  /// Whether a socket in this state can be one that was asked for.
  func wants(_ id: UInt64, _ state: TCPState) -> Bool {
    states.contains(state) && (connection == nil || connection == id)
  }

  /// Whether the socket is one that was asked for, by what it is and who is responsible for it.
  public func wants(_ socket: borrowing StuckSocket) -> Bool {
    var row = Transition()
    row.local = socket.local
    row.peer = socket.peer
    row.netns = socket.netns
    guard !filter.pids.isEmpty || !filter.processes.isEmpty else { return filter.wants(row) }
    for process in socket.responsible + [socket.maker].compactMap({ $0 }) {
      row.ownerPID = process.pid
      row.ownerName = process.name
      if filter.wants(row) { return true }
    }
    return false
  }
}
