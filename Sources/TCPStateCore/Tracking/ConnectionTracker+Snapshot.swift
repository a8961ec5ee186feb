import CTCPStateEvent

/// Reading the kernel's tables: at the start, again after a loss, and for what no event tells.
///
/// While a pass goes on, sockets change and events arrive. What a record says
/// counts only once all events from before it have been applied, so records
/// that tell of a change are put off (`mustWait`) until they have.
extension ConnectionTracker {
  /// A pass over the kernel's tables begins.
  public mutating func beginPass() {
    pass &+= 1
    passUnderWay = true
    endedDuringPass = []
  }

  /// Asks for the memory that records further behind will need.
  @inline(__always)
  public mutating func prefetch(_ following: UnsafeBufferPointer<tcpstate_snapshot>) {
    guard following.count > 12, let next = following.baseAddress else { return }
    // `event` is the first member.
    table.prefetchIndex(Self.key(UnsafeRawPointer(next + 12).assumingMemoryBound(to: tcpstate_event.self)))
    table.prefetchConnection(Self.key(UnsafeRawPointer(next + 6).assumingMemoryBound(to: tcpstate_event.self)))
  }

  /// Whether a record tells something new of a connection, so that an event which is
  /// still on its way may tell it better. Apply it when all events from before it are applied.
  public func mustWait(_ snapshot: UnsafePointer<tcpstate_snapshot>) -> Bool {
    let event = UnsafeRawPointer(snapshot).assumingMemoryBound(to: tcpstate_event.self)
    guard !Self.isFleeting(snapshot) else { return false }
    // Beyond the limit it won't be taken in, so it needn't be kept until then either.
    guard let known = find(event) else { return event.pointee.kind != TCPSTATE_KIND_SOCKET && table.count < limit }
    return known.pointee.state != TCPState(number: event.pointee.state_new)
  }

  /// A request in the middle of its handshake: it gets its cookie by being read,
  /// and its child may have been made without it. One that stays shows itself otherwise.
  /// On kernels that give no cookies nothing connects a request with its child.
  private static func isFleeting(_ snapshot: UnsafePointer<tcpstate_snapshot>) -> Bool {
    guard snapshot.pointee.event.kind == TCPSTATE_KIND_REQUEST else { return false }
    return snapshot.pointee.event.cookie == 0
      || snapshot.pointee.syn_ack_timeouts == 0 && snapshot.pointee.event.retransmits == 0
  }

  /// Applies what an iterator says of one socket.
  ///
  /// - Returns: whether there is a row: the socket was tracked in another
  ///   state, so transitions were lost in between.
  public mutating func apply(_ snapshot: UnsafePointer<tcpstate_snapshot>, to row: inout Transition) -> Bool {
    // `event` is the first member, so this is its address.
    let event = UnsafeRawPointer(snapshot).assumingMemoryBound(to: tcpstate_event.self)
    let state = TCPState(number: event.pointee.state_new)
    let key = Self.key(event)
    let time = event.pointee.timestamp_ns
    guard state != .closed, !endedDuringPass.contains(key), !Self.isFleeting(snapshot) else { return false }
    wheel?.observe(jiffies: snapshot.pointee.jiffies, at: time)

    guard let connection = find(event) else {
      guard adoptsMinisocks || event.pointee.kind == TCPSTATE_KIND_SOCKET else { return false }
      guard table.count < limit else {
        // Later readings find it again and again, so only that it happened is noted.
        if !knowsExisting || crowdedOut == 0 { crowdedOut += 1 }
        return false
      }
      let connection = insert(key, from: event, state: state)
      adopt(connection, snapshot, event)
      guard event.pointee.kind == TCPSTATE_KIND_REQUEST, knowsExisting else { return false }
      write(connection, at: connection.pointee.entered, source: .derived, to: &row)
      row.old = .listen
      row.new = .synReceived
      return true
    }
    connection.pointee.pass = pass
    guard connection.pointee.entered < time else { return false }
    if connection.pointee.ownerPID == 0, event.pointee.owner_pid != 0 { update(connection, from: event) }
    if event.pointee.kind != TCPSTATE_KIND_SOCKET {
      if !connection.pointee.isSilent {
        // Of a full socket's change an event tells, which may still be on its
        // way; but not for a second: then it was never made.
        guard lossBegan != nil || time - connection.pointee.entered > 1_000_000_000 else { return false }
        unmatched += 1
      }
      return applySilent(connection, snapshot, event, to: &row)
    }
    guard connection.pointee.state != state else { return false }

    let before = connection.pointee.state
    let stay = stayBeforeLoss(connection, seen: time)
    update(connection, from: event)
    write(connection, at: time, source: .snapshot, to: &row)
    row.old = before
    row.new = state
    row.stay = stay
    enter(connection, state, at: time, exactly: false)
    return true
  }

  /// The pass is complete.
  ///
  /// - Parameters:
  ///   - start: when the pass began, CLOCK_MONOTONIC.
  ///   - minisocksOnly: it has read no full sockets.
  ///   - isUnread: whether a network namespace was out of reach, so that nothing follows from what wasn't found.
  /// - Returns: keys of the connections that it didn't find although they were
  ///   tracked before it began; `conclude` ends each.
  public mutating func endPass(
    startedAt start: UInt64, minisocksOnly: Bool, isUnread: (UInt32) -> Bool = { _ in false }
  ) -> [UInt64] {
    passUnderWay = false
    endedDuringPass = []
    if !minisocksOnly {
      knowsExisting = true
    }
    var vanished: [UInt64] = []
    var silent = Silent()
    let pass = pass
    table.forEach { connection in
      guard connection.pointee.isSilent || !minisocksOnly else { return }
      if connection.pointee.pass != pass, connection.pointee.entered < start, !isUnread(connection.pointee.netns) {
        vanished.append(connection.pointee.key)
        return
      }
      guard connection.pointee.isSilent else { return }
      silent.namespaces.insert(connection.pointee.netns)
      if connection.pointee.state != .timeWait { silent.changing += 1 }
      if connection.pointee.flags.contains(.confirmed) {
        let expires = connection.pointee.expires
        silent.nextExpiry = min(silent.nextExpiry, expires == 0 ? start : expires)
      } else {
        silent.oldestUnconfirmed = min(silent.oldestUnconfirmed, connection.pointee.entered)
      }
    }
    self.silent = silent
    return vanished
  }

  /// How long a connection was in its state at the least, when it left it in a gap of the events
  /// and was seen to have at `time`.
  func stayBeforeLoss(_ connection: UnsafeMutablePointer<Connection>, seen time: UInt64) -> Stay? {
    guard let lossBegan, case let end = min(lossBegan, time), end > connection.pointee.entered else { return nil }
    return Stay(nanoseconds: end - connection.pointee.entered, kind: .atLeast)
  }

  /// Ends a connection that a pass no longer found, by a derived row.
  ///
  /// - Parameters:
  ///   - pass: when that pass began and ended, CLOCK_MONOTONIC; `lastSeen`: when the one before it began.
  ///   - overflowed: the kernel has refused minisocks meanwhile.
  public mutating func conclude(
    _ key: UInt64, pass: ClosedRange<UInt64>, lastSeen: UInt64, overflowed: Bool, to row: inout Transition
  ) {
    guard let connection = table.find(key) else { return }
    if connection.pointee.isSilent {
      describeEnd(connection, pass: pass, lastSeen: lastSeen, overflowed: overflowed, to: &row)
    } else {
      // Its transitions were lost, or never made.
      if lossBegan == nil { unmatched += 1 }
      write(connection, at: pass.lowerBound, source: .derived, to: &row)
      row.old = connection.pointee.state
      row.new = .closed
      row.reason = connection.pointee.role == .listener ? nil : .unknown
      row.stay = stayBeforeLoss(connection, seen: pass.lowerBound)
    }
    forget(connection)
  }

  /// Every connection that is open now, as a row that goes nowhere: its state
  /// is both old and new, its stay lasts until `now` (CLOCK_MONOTONIC).
  public func forEachOpen(now: UInt64, _ body: (borrowing Transition) -> Void) {
    var row = Transition()
    table.forEach { connection in
      write(connection, at: connection.pointee.entered, source: .snapshot, to: &row)
      row.old = connection.pointee.state
      row.new = connection.pointee.state
      row.stay = stay(of: connection, until: now)
      body(row)
    }
  }

  /// A socket that was there before.
  private mutating func adopt(
    _ connection: UnsafeMutablePointer<Connection>, _ snapshot: UnsafePointer<tcpstate_snapshot>,
    _ event: UnsafePointer<tcpstate_event>
  ) {
    update(connection, from: event)
    connection.pointee.flags.insert(.older)
    let age = SnapshotAge.least(snapshot, ticksPerSecond: ticksPerSecond)
    connection.pointee.entered = event.pointee.timestamp_ns &- min(age, event.pointee.timestamp_ns)
    let state = TCPState(number: event.pointee.state_new)
    switch Int32(event.pointee.kind) {
    case TCPSTATE_KIND_TIMEWAIT:
      if state == .timeWait, let entered = timeWaitEntry(snapshot) {
        connection.pointee.entered = entered
        connection.pointee.flags.insert(.enteredExactly)
      }
      var ignored = Transition()
      _ = applySilent(connection, snapshot, event, to: &ignored)
      noteSilent(connection)
    case TCPSTATE_KIND_REQUEST:
      adoptRequest(connection, event, age: UInt64(snapshot.pointee.request_age_us) * 1000)
      var ignored = Transition()
      _ = applySilent(connection, snapshot, event, to: &ignored)
    default:
      if state == .listen {
        connection.pointee.role = .listener
        listeners.insert(connection.pointee.key)
      } else {
        count(connection, from: event, sequenced: state.isSynchronized)
        connection.pointee.closer =
          switch state {
          case .finWait1, .finWait2: .active
          case .closeWait, .lastAck: .passive
          case .closing: .both
          default: nil
          }
      }
    }
  }
}
