// SPDX-License-Identifier: Apache-2.0

/// The open sockets of a recording, as of the rows received so far.
///
/// Pure. Times are those of the rows, nanoseconds since the epoch.
public struct RecordedSockets: Sendable {
  private struct Entry {
    /// Its latest row, filled from earlier ones.
    var facts: Transition
    var entered: UInt64
    /// Whether it entered its state exactly at `entered`.
    var isExact: Bool
  }

  private var entries: [UInt64: Entry] = [:]
  private var counts = [UInt64](repeating: 0, count: TCPState.arraySize)

  public init() {}

  /// Applies the next row. A row whose states are equal describes a socket that is older than the
  /// recording and has been in that state at least since the row's time.
  public mutating func receive(_ row: Transition) {
    let known = entries[row.connection]
    if let known { count(known.facts.new, -1) }
    guard row.new != .closed else {
      entries[row.connection] = nil
      return
    }
    var entry = Entry(facts: row, entered: row.time, isExact: row.source == .event && row.old != row.new)
    if let known {
      entry.facts.fill(from: known.facts)
      if row.old == row.new, known.facts.new == row.new {
        (entry.entered, entry.isExact) = (known.entered, known.isExact)
      }
    }
    entries[row.connection] = entry
    count(row.new, 1)
  }

  private mutating func count(_ state: TCPState, _ change: Int64) {
    guard state.isKnown else { return }
    counts[Int(state.number)] &+= UInt64(bitPattern: change)
  }

  /// How many are in a state.
  public func openCount(_ state: TCPState) -> UInt64 { state.isKnown ? counts[Int(state.number)] : 0 }

  /// Visits every open socket like `ConnectionTracker.forEachOpen`: its state is
  /// both old and new, and its stay lasts until `now`.
  public func forEachOpen(now: UInt64, _ body: (borrowing Transition) -> Void) {
    for entry in entries.values {
      var row = entry.facts
      row.old = row.new
      row.time = entry.entered
      row.stay = Stay(nanoseconds: now - min(entry.entered, now), kind: entry.isExact ? .exact : .atLeast)
      body(row)
    }
  }

  /// What `stuck` finds at the time `now`.
  ///
  /// A recording contains owners, but no descriptors, queues, timers or waiting
  /// bytes: these stay unknown, and so does the verdict, except in TIME-WAIT.
  public func reading(_ query: StuckQuery, now: UInt64) -> StuckReading {
    var reading = StuckReading()
    var grouping = TimeWaitGrouping()
    var timeWait: [StuckSocket] = []
    var others: [Transition] = []
    forEachOpen(now: now) { row in
      guard query.states.contains(row.new) else {
        if row.new != .listen { others.append(copy row) }
        return
      }
      let socket = StuckSocket(recorded: copy row)
      if socket.state == .timeWait, query.wants(socket) { timeWait.append(socket) }
      reading.add(socket, query)
    }
    reading.sort()
    guard query.states.contains(.timeWait) else { return reading }
    var connected: [UInt64: Bool] = [:]
    forEachOpen(now: now) { row in connected[row.connection] = row.didConnect }
    for socket in timeWait { grouping.add(socket, connected: connected[socket.connection]) }
    for row in others {
      grouping.addOther(netns: row.netns, local: row.local, peer: row.peer, connected: row.didConnect)
    }
    reading.timeWait = grouping.groups
    return reading
  }
}

extension StuckSocket {
  /// Makes a socket from a recording's row; see `RecordedSockets.reading`.
  init(recorded row: Transition) {
    self.init(connection: row.connection, state: row.new)
    age = row.stay
    (local, peer) = (row.local, row.peer)
    (netns, cgroup, userID, workload) = (row.netns, row.cgroup, row.userID, row.workload)
    let owner = row.ownerPID.map { SocketHolder(pid: $0, name: row.ownerName, descriptor: nil, kind: row.ownerKind) }
    guard row.new != .timeWait else {
      verdict = .orphan
      maker = owner
      return
    }
    verdict = .unknown
    holders = [owner].compactMap { $0 }
  }
}

extension Transition {
  /// Whether this is the end that connected; `nil` if not known.
  fileprivate var didConnect: Bool? {
    switch role {
    case .client: true
    case .server, .listener: false
    case .unknown: nil
    }
  }
}
