// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent

/// Applies readings of the kernel's tables: at the start, after a loss, and for what no event reports.
///
/// During a pass, sockets change and events arrive. A record counts only once all
/// earlier events have been applied, so records that show a change are deferred
/// (`mustWait`) until then.
extension ConnectionTracker {
  /// Begins a pass over the kernel's tables.
  public mutating func beginPass() {
    pass &+= 1
    passUnderWay = true
    endedDuringPass = []
    mptcpHolders = [:]
  }

  /// Prefetches the memory that later records need.
  @inline(__always)
  public mutating func prefetch(_ following: UnsafeBufferPointer<tcpstate_snapshot>) {
    guard following.count > 12, let next = following.baseAddress else { return }
    // `event` is the first member.
    table.prefetchIndex(Self.key(UnsafeRawPointer(next + 12).assumingMemoryBound(to: tcpstate_event.self)))
    table.prefetchConnection(Self.key(UnsafeRawPointer(next + 6).assumingMemoryBound(to: tcpstate_event.self)))
  }

  /// Whether a record shows a change of a connection that an event still on its way may report
  /// more precisely. Apply such a record after all events that are older than it.
  public func mustWait(_ snapshot: UnsafePointer<tcpstate_snapshot>) -> Bool {
    let event = UnsafeRawPointer(snapshot).assumingMemoryBound(to: tcpstate_event.self)
    guard !Self.isFleeting(snapshot), event.pointee.kind != TCPSTATE_KIND_MPTCP else { return false }
    // Beyond the limit it won't be tracked, so there is no need to keep the record until then.
    guard let known = find(event) else { return event.pointee.kind != TCPSTATE_KIND_SOCKET && table.count < limit }
    return known.pointee.state != TCPState(number: event.pointee.state_new)
  }

  /// Whether a record is of a request in the middle of its handshake. Reading it gives it its
  /// cookie, and its child may have been created without one. A request that stays half-open is found
  /// later. On kernels without cookies nothing connects a request with its child.
  ///
  /// A timeout that resent no SYN-ACK is one of TCP_DEFER_ACCEPT: the last ACK has come, and the listener waits for
  /// data (syn_ack_recalc(), net/ipv4/inet_connection_sock.c). Its child's own event reports that one.
  private static func isFleeting(_ snapshot: UnsafePointer<tcpstate_snapshot>) -> Bool {
    guard snapshot.pointee.event.kind == TCPSTATE_KIND_REQUEST else { return false }
    return snapshot.pointee.event.cookie == 0
      || snapshot.pointee.event.retransmits == 0
  }

  /// Applies what an iterator says about one socket.
  ///
  /// - Returns: whether there is a row, because the socket was tracked in another
  ///   state: transitions in between were lost.
  public mutating func apply(_ snapshot: UnsafePointer<tcpstate_snapshot>, to row: inout Transition) -> Bool {
    // `event` is the first member, so this is its address.
    let event = UnsafeRawPointer(snapshot).assumingMemoryBound(to: tcpstate_event.self)
    let state = TCPState(number: event.pointee.state_new)
    let key = Self.key(event)
    let time = event.pointee.timestamp_ns
    guard event.pointee.kind != TCPSTATE_KIND_MPTCP else {
      noteMPTCP(event)
      return false
    }
    guard state != .closed, !endedDuringPass.contains(key) else { return false }
    if event.pointee.kind == TCPSTATE_KIND_REQUEST, table.minisockCount > 0 { noteTakeOver(event) }
    guard !Self.isFleeting(snapshot) else { return false }
    wheel?.observe(jiffies: snapshot.pointee.jiffies, at: time)

    guard let connection = find(event) else { return applyUnknown(snapshot, event, to: &row) }
    connection.pointee.pass = pass
    guard connection.pointee.entered < time else { return false }
    if Self.lacksOwner(connection), event.pointee.owner_pid != 0 {
      Self.update(connection, from: event)
      connection.pointee.flags.insert(.ownerChanged)
    } else if inheritFromMPTCP(connection, snapshot) {
      connection.pointee.flags.insert(.ownerChanged)
    }
    if event.pointee.kind != TCPSTATE_KIND_SOCKET {
      if !connection.pointee.isSilent {
        // An event reports the change of a full socket and may still be on its
        // way, but not for more than a second: then there was no event.
        guard lossBegan != nil || time - connection.pointee.entered > 1_000_000_000 else { return false }
        unmatched += 1
      }
      return applySilent(connection, snapshot, event, to: &row)
    }
    guard connection.pointee.state != state else { return false }

    let before = connection.pointee.state
    let stay = stayBeforeLoss(connection, seen: time)
    Self.update(connection, from: event)
    write(connection, at: time, source: .snapshot, to: &row)
    row.setTime(.atMost, error: time - min(max(lossBegan ?? 0, connection.pointee.entered), time))
    row.old = before
    row.new = state
    row.stay = stay
    enter(connection, state, at: time, exactly: false)
    return true
  }

  /// Begins to track a socket that isn't tracked.
  private mutating func applyUnknown(
    _ snapshot: UnsafePointer<tcpstate_snapshot>, _ event: UnsafePointer<tcpstate_event>, to row: inout Transition
  ) -> Bool {
    guard adoptsMinisocks || event.pointee.kind == TCPSTATE_KIND_SOCKET else { return false }
    guard table.count < limit else {
      // Later readings find it again and again, so count it only once.
      if !knowsExisting || crowdedOut == 0 { crowdedOut += 1 }
      return false
    }
    let connection = insert(Self.key(event), from: event, state: TCPState(number: event.pointee.state_new))
    adopt(connection, snapshot, event)
    guard event.pointee.kind == TCPSTATE_KIND_REQUEST, knowsExisting else { return false }
    write(connection, at: connection.pointee.entered, source: .derived, to: &row)
    let isTimed = connection.pointee.flags.contains(.enteredExactly)
    row.setTime(.atMost, error: isTimed ? Self.requestGrain : nil)
    row.old = .listen
    row.new = .synReceived
    return true
  }

  /// A request has taken the place of a TIME-WAIT with its addresses, in the same row of the kernel's table. When its
  /// SYN came is known from its handshake, or from its first repeated SYN-ACK.
  private func noteTakeOver(_ event: UnsafePointer<tcpstate_event>) {
    guard let minisock = findMinisock(event) else { return }
    minisock.pointee.flags.insert(.takenOver)
    if minisock.pointee.state == .timeWait { minisock.pointee.pass = pass }
  }

  /// Completes the pass.
  ///
  /// - Parameters:
  ///   - start: when the pass began, CLOCK_MONOTONIC.
  ///   - minisocksOnly: whether it read no full sockets.
  ///   - isUnread: whether a network namespace could not be read, so that nothing follows from what wasn't found.
  /// - Returns: keys of the connections that it didn't find although they were
  ///   tracked before it began; end each with `conclude`.
  public mutating func endPass(
    startedAt start: UInt64, minisocksOnly: Bool, isUnread: (UInt32) -> Bool = { _ in false }
  ) -> [UInt64] {
    passUnderWay = false
    endedDuringPass = []
    if !minisocksOnly {
      knowsExisting = true
      countersEnd = max(countersEnd, start &+ 5_000_000_000)
    }
    var vanished: [UInt64] = []
    var silent = Silent()
    let pass = pass
    table.forEach { connection in
      guard connection.pointee.isSilent || !minisocksOnly else { return }
      // What became a minisock during the pass may have been a full socket when its place was read.
      let began = max(connection.pointee.entered, connection.pointee.silentSince)
      if connection.pointee.pass != pass, began < start, !isUnread(connection.pointee.netns) {
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

  /// The network namespace of a minisock that no reading has found, which the kernel may have refused to make.
  public func neverSeenNamespace(of key: UInt64) -> UInt32? {
    guard let connection = table.find(key), connection.pointee.flags.contains(.minisock),
      !connection.pointee.flags.contains(.confirmed)
    else { return nil }
    return connection.pointee.netns
  }

  /// How many of these there are in each network namespace.
  public func neverSeen(_ keys: [UInt64]) -> [UInt32: UInt64] {
    var counts: [UInt32: UInt64] = [:]
    for key in keys {
      if let namespace = neverSeenNamespace(of: key) { counts[namespace, default: 0] += 1 }
    }
    return counts
  }

  /// The least time that a connection was in its state, if it left it during a gap in the events,
  /// as found at `time`.
  func stayBeforeLoss(_ connection: UnsafeMutablePointer<Connection>, seen time: UInt64) -> Stay? {
    guard let lossBegan, case let end = min(lossBegan, time), end > connection.pointee.entered else { return nil }
    return Stay(nanoseconds: end - connection.pointee.entered, kind: .atLeast)
  }

  /// Ends a connection that a pass no longer found, with a derived row.
  ///
  /// - Parameters:
  ///   - pass: when that pass began and ended, CLOCK_MONOTONIC.
  ///   - lastSeen: when the pass before it began, CLOCK_MONOTONIC.
  ///   - overflowed: whether the kernel has refused minisocks meanwhile.
  public mutating func conclude(
    _ key: UInt64, pass: ClosedRange<UInt64>, lastSeen: UInt64, overflowed: Bool, to row: inout Transition
  ) {
    guard let connection = table.find(key) else { return }
    if connection.pointee.isSilent {
      describeEnd(connection, pass: pass, lastSeen: lastSeen, overflowed: overflowed, to: &row)
    } else {
      // Its transitions were lost, or no events were sent.
      if lossBegan == nil { unmatched += 1 }
      write(connection, at: pass.upperBound, source: .derived, to: &row)
      row.setTime(.atMost, error: pass.upperBound - min(connection.pointee.entered, pass.upperBound))
      row.old = connection.pointee.state
      row.new = .closed
      row.reason = connection.pointee.role == .listener ? nil : .unknown
      row.stay = stayBeforeLoss(connection, seen: pass.lowerBound)
    }
    forget(connection)
  }

  /// Brings a connection's counters up to date with what an iterator has read; nothing else changes.
  public mutating func recount(_ snapshot: UnsafePointer<tcpstate_snapshot>) {
    // `event` is the first member, so this is its address.
    let event = UnsafeRawPointer(snapshot).assumingMemoryBound(to: tcpstate_event.self)
    let state = TCPState(number: event.pointee.state_new)
    guard Int32(event.pointee.kind) == TCPSTATE_KIND_SOCKET, state != .listen, let connection = find(event),
      connection.pointee.state == state
    else { return }
    Self.count(connection, from: event, sequenced: state.isSynchronized)
    connection.pointee.flags.insert(.recounted)
  }

  /// Sets until when the counters that were just read count as current, CLOCK_MONOTONIC.
  public mutating func countersHold(until time: UInt64) { countersEnd = time }

  /// Whether the counters are those of now: they change without an event as long as there is a full socket.
  private func hasCurrentCounters(_ connection: UnsafeMutablePointer<Connection>, now: UInt64) -> Bool {
    connection.pointee.flags.contains(.minisock) || connection.pointee.flags.contains(.recounted) && now <= countersEnd
  }

  /// Visits every open connection as a row without a transition: its state is both
  /// old and new, and its stay lasts until `now` (CLOCK_MONOTONIC). Counters that may have changed since they were read
  /// are unknown.
  public func forEachOpen(now: UInt64, _ body: (borrowing Transition) -> Void) {
    var row = Transition()
    table.forEach { connection in
      write(connection, at: connection.pointee.entered, source: .snapshot, to: &row)
      row.setTime(connection.pointee.flags.contains(.enteredExactly) ? .exact : .atMost, error: nil)
      row.old = connection.pointee.state
      row.new = connection.pointee.state
      row.stay = stay(of: connection, until: now)
      if !hasCurrentCounters(connection, now: now) { row.forgetReadings() }
      body(row)
    }
  }

  /// Starts tracking a socket that existed already.
  private mutating func adopt(
    _ connection: UnsafeMutablePointer<Connection>, _ snapshot: UnsafePointer<tcpstate_snapshot>,
    _ event: UnsafePointer<tcpstate_event>
  ) {
    Self.update(connection, from: event)
    inheritFromMPTCP(connection, snapshot)
    connection.pointee.flags.insert(.older)
    let age = SnapshotAge.least(snapshot, ticksPerSecond: ticksPerSecond)
    connection.pointee.entered = event.pointee.timestamp_ns &- min(age, event.pointee.timestamp_ns)
    let state = TCPState(number: event.pointee.state_new)
    switch Int32(event.pointee.kind) {
    case TCPSTATE_KIND_TIMEWAIT:
      if state == .timeWait {
        let entry = TimeWaitEntry(snapshot, ticksPerSecond: ticksPerSecond)
        connection.pointee.entered = entry.isClose ? entry.earliest : entry.latest
        if entry.isClose { connection.pointee.flags.insert(.enteredExactly) }
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
        Self.count(connection, from: event, sequenced: state.isSynchronized)
        connection.pointee.flags.insert(.recounted)
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
