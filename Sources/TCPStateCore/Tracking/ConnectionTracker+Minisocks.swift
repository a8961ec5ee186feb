// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent

/// Follows connections whose full socket is gone or doesn't exist yet.
///
/// The kernel reports no events for timewait minisocks and half-open requests, so
/// readings of its tables find out what became of them. Their own time stamps
/// and timers make the derived rows exact although the reading comes later.
extension ConnectionTracker {
  /// The shortest TIME-WAIT.
  static let timeWaitSeconds = TimeWaitEntry.seconds

  /// An end found within this many nanoseconds counts as exact.
  static let tolerance = TimeWaitEntry.tolerance

  /// A request's age comes in whole milliseconds, and its beginning in whole microseconds.
  static let requestGrain: UInt64 = 1_001_000

  /// What the next reading of the tables is needed for, as of the last one.
  public struct Silent: Sendable {
    /// Orphans' minisocks, which may enter TIME-WAIT at any time, and half-open requests.
    public var changing = 0
    /// When the next timer fires that no event reports, CLOCK_MONOTONIC nanoseconds.
    public var nextExpiry = UInt64.max
    /// When the oldest connection that no reading has confirmed entered its state, CLOCK_MONOTONIC nanoseconds.
    public var oldestUnconfirmed = UInt64.max
    /// Network namespaces that contain such connections.
    public var namespaces: Set<UInt32> = []
  }

  /// How many connections only readings can follow.
  public var silentCount: Int { table.minisockCount + requestCount }

  /// Takes note of a connection that no events report any more, or yet.
  mutating func noteSilent(_ connection: UnsafeMutablePointer<Connection>) {
    silent.namespaces.insert(connection.pointee.netns)
    if connection.pointee.flags.contains(.request) || connection.pointee.state == .finWait2 { silent.changing += 1 }
    silent.oldestUnconfirmed = min(silent.oldestUnconfirmed, connection.pointee.entered)
  }

  // MARK: - Tracepoints other than the state's

  /// Applies a SYN-ACK that a half-open request had to send again.
  ///
  /// - Returns: whether there is a row, which the first one brings: LISTEN → SYN-RECEIVED.
  mutating func applySynAck(_ event: UnsafePointer<tcpstate_event>, to row: inout Transition) -> Bool {
    let key = Self.key(event)
    if let known = table.find(key) {
      known.pointee.synAckRetransmits = UInt8(clamping: event.pointee.retransmits)
      known.pointee.expires = rearmedFiring(event)
      known.pointee.silentSince = event.pointee.timestamp_ns
      return false
    }
    guard isReadable(event.pointee.netns) else { return false }
    let connection = insert(key, from: event, state: .synReceived)
    if table.isUnkept(connection) {
      // Otherwise each of its SYN-ACKs, and its handshake, would be reported as the first one.
      forget(connection)
      return false
    }
    // In whole milliseconds, so the SYN may have come earlier.
    adoptRequest(connection, event, age: UInt64(event.pointee.total_rto_time_ms) * 1_000_000)
    connection.pointee.expires = rearmedFiring(event)
    if table.minisockCount > 0 { noteReuse(connection, event, stay(of: connection, until: event.pointee.timestamp_ns)) }
    write(connection, at: connection.pointee.entered, source: .derived, to: &row)
    let isTimed = connection.pointee.flags.contains(.enteredExactly)
    row.setTime(.atMost, error: isTimed ? Self.requestGrain : nil)
    row.old = .listen
    row.new = .synReceived
    return true
  }

  /// Applies a RST that this host sent for an orphan in FIN-WAIT-2, because it got data that nobody can read.
  mutating func applyResetSent(_ event: UnsafePointer<tcpstate_event>, to row: inout Transition) -> Bool {
    guard let connection = find(event), connection.pointee.flags.contains(.minisock),
      connection.pointee.state == .finWait2
    else { return false }
    let stay = stay(of: connection, until: event.pointee.timestamp_ns)
    write(connection, at: event.pointee.timestamp_ns, source: .event, to: &row)
    row.old = .finWait2
    row.new = .closed
    row.stay = stay
    row.reason = .resetSent
    row.resetReason = Self.resetReason(event)
    forget(connection)
    return true
  }

  // MARK: - Readings

  /// Applies what a reading says about a minisock or request.
  ///
  /// - Returns: whether there is a row: FIN-WAIT-2 → TIME-WAIT, which no event reports.
  mutating func applySilent(
    _ connection: UnsafeMutablePointer<Connection>, _ snapshot: UnsafePointer<tcpstate_snapshot>,
    _ event: UnsafePointer<tcpstate_event>, to row: inout Transition
  ) -> Bool {
    connection.pointee.flags.insert(.confirmed)
    // If the handshake's events were lost, its port may still be unknown.
    if !connection.pointee.isSilent { Self.update(connection, from: event) }
    if Int32(event.pointee.kind) == TCPSTATE_KIND_REQUEST {
      connection.pointee.synAckRetransmits = UInt8(clamping: event.pointee.retransmits)
      connection.pointee.expires = requestFiring(snapshot)
      connection.pointee.silentSince = event.pointee.timestamp_ns
      return false
    }
    let substate = TCPState(number: event.pointee.state_new)
    var isRow = false
    if substate == .timeWait, connection.pointee.state != .timeWait {
      foundInTimeWait(connection, snapshot, to: &row)
      isRow = true
    } else if substate == .finWait2 {
      connection.pointee.silentSince = event.pointee.timestamp_ns
    }
    if connection.pointee.silentSince == 0 { connection.pointee.silentSince = event.pointee.timestamp_ns }
    table.setMinisock(connection, true)
    connection.pointee.sendNext = event.pointee.send_next
    connection.pointee.receiveNext = event.pointee.receive_next
    connection.pointee.expires = firing(of: connection, snapshot) ?? 0
    return isRow
  }

  func stay(of connection: UnsafeMutablePointer<Connection>, until time: UInt64) -> Stay {
    Stay(
      nanoseconds: time &- min(connection.pointee.entered, time),
      kind: connection.pointee.flags.contains(.enteredExactly) ? .exact : .atLeast)
  }

  /// Describes FIN-WAIT-2 → TIME-WAIT of a minisock, or whatever led to TIME-WAIT while events were lost.
  private mutating func foundInTimeWait(
    _ connection: UnsafeMutablePointer<Connection>, _ snapshot: UnsafePointer<tcpstate_snapshot>,
    to row: inout Transition
  ) {
    let from = connection.pointee.state
    let began = connection.pointee.entered
    let made = connection.pointee.silentSince
    let entry = TimeWaitEntry(
      snapshot, ticksPerSecond: ticksPerSecond, before: max(made, began), made: made == 0 ? nil : made)
    // Only these lead there in one step; from other states, steps were lost.
    let isOneStep = from == .finWait2 || from == .closing
    var stay = stayBeforeLoss(connection, seen: entry.earliest)
    if isOneStep {
      stay = self.stay(of: connection, until: entry.earliest)
      // Not exact beyond the grain of what it rests on.
      if !entry.isClose || entry.width > entry.earliest - began { stay?.kind = .atLeast }
      if entry.earliest == began { stay = nil }
    }
    // What is close rests on the FIN alone; what isn't, on a timer that later segments arm again.
    let time = entry.isClose ? entry.earliest : entry.latest
    write(connection, at: time, source: .derived, to: &row)
    row.setTime(entry.isClose ? .atLeast : .atMost, error: entry.width)
    row.old = from
    row.new = .timeWait
    row.stay = stay
    row.reason = .fin
    row.receiveNext = snapshot.pointee.event.receive_next
    enter(connection, .timeWait, at: time, exactly: entry.isClose)
  }

  private func firing(
    of connection: UnsafeMutablePointer<Connection>, _ snapshot: UnsafePointer<tcpstate_snapshot>
  ) -> UInt64? {
    guard let wheel, let ticks = ticksPerSecond, snapshot.pointee.timer_expires != 0 else { return nil }
    let expires = snapshot.pointee.timer_expires
    var delta = Self.timeWaitSeconds * ticks
    if connection.pointee.state == .finWait2 {
      // The timeout is the socket's (TCP_LINGER2, tcp_fin_timeout), counted from the
      // stamp. Without a stamp it fires no earlier than if it were armed now.
      let stamp = TimeWaitEntry.stamp(snapshot).flatMap { wheel.jiffies(at: $0) }
      let armed = stamp ?? snapshot.pointee.jiffies
      delta = expires > armed ? expires - armed : 0
    }
    return wheel.time(ofJiffies: TimerWheel.firing(expires: expires, delta: delta))
  }

  private func requestFiring(_ snapshot: UnsafePointer<tcpstate_snapshot>) -> UInt64 {
    guard let wheel, let ticks = ticksPerSecond, snapshot.pointee.timer_expires != 0 else { return 0 }
    // 1 s, doubled with each timeout (reqsk_timer_handler(), net/ipv4/inet_connection_sock.c).
    let delta = ticks << UInt64(min(snapshot.pointee.syn_ack_timeouts, 16))
    return wheel.time(ofJiffies: TimerWheel.firing(expires: snapshot.pointee.timer_expires, delta: delta)) ?? 0
  }

  /// When the timer that has just resent a SYN-ACK fires next: it counts one more timeout and is armed again
  /// (reqsk_timer_handler()).
  private func rearmedFiring(_ event: UnsafePointer<tcpstate_event>) -> UInt64 {
    guard let wheel, let ticks = ticksPerSecond, let now = wheel.jiffies(at: event.pointee.timestamp_ns)
    else { return 0 }
    let delta = ticks << (UInt64(min(event.pointee.timeouts, 15)) + 1)
    return wheel.time(ofJiffies: TimerWheel.firing(expires: now &+ delta, delta: delta)) ?? 0
  }

  /// Starts tracking a half-open request, from whichever record reported it first.
  mutating func adoptRequest(
    _ connection: UnsafeMutablePointer<Connection>, _ event: UnsafePointer<tcpstate_event>, age: UInt64
  ) {
    Self.update(connection, from: event)
    if connection.pointee.ownerPID == 0 { inheritOwner(connection) }
    connection.pointee.role = .server
    connection.pointee.silentSince = event.pointee.timestamp_ns
    connection.pointee.flags.insert([.request, .wasRequest])
    connection.pointee.entered = event.pointee.timestamp_ns &- min(age, event.pointee.timestamp_ns)
    if age > 0 { connection.pointee.flags.insert(.enteredExactly) }
    connection.pointee.initialSendSequence = event.pointee.send_unacknowledged
    connection.pointee.initialReceiveSequence = event.pointee.receive_next &- 1
    connection.pointee.sendNext = event.pointee.send_next
    connection.pointee.receiveNext = event.pointee.receive_next
    connection.pointee.flags.insert(.sequenced)
    connection.pointee.synAckRetransmits = UInt8(clamping: event.pointee.retransmits)
    requestCount += 1
    noteSilent(connection)
  }

  /// Describes the end of a silent connection that a reading no longer found.
  ///
  /// - Parameters:
  ///   - pass: when that reading began and ended.
  ///   - lastSeen: when the reading before it began.
  ///   - overflowed: whether the kernel refused its minisock (tcp_max_tw_buckets).
  func describeEnd(
    _ connection: UnsafeMutablePointer<Connection>, pass: ClosedRange<UInt64>, lastSeen: UInt64, overflowed: Bool,
    to row: inout Transition
  ) {
    let expires = connection.pointee.expires
    let state = connection.pointee.state
    // A request was seen when it sent its SYN-ACK again, if its timer is known.
    let wasSeen =
      connection.pointee.flags.contains(.confirmed) || connection.pointee.flags.contains(.request) && expires != 0
    // Its place in the table may have been read at the very end of the reading, which on a busy machine is
    // long after its beginning. The timer may be due up to a tick earlier than computed, because jiffies
    // don't say how much of their tick has passed.
    let ranOut = wasSeen && expires != 0 && expires <= pass.upperBound.saturatingAdding(wheel?.tick ?? 0)
    // It ended after its timer was due and after it was last seen. A minisock's
    // timer is deferrable: an idle CPU delays it.
    let due = ranOut ? min(expires, pass.upperBound) : 0
    let seen = max(connection.pointee.entered, connection.pointee.silentSince, min(lastSeen, pass.lowerBound))
    let end = max(seen, due)
    let earliest = ranOut ? max(seen, expires - min(wheel?.tick ?? 0, expires)) : end
    write(connection, at: earliest, source: .derived, to: &row)
    row.setTime(.atLeast, error: pass.upperBound - min(earliest, pass.upperBound))
    row.old = state
    row.new = .closed
    if connection.pointee.flags.contains(.listenerClosed) || connection.pointee.flags.contains(.listenerDoubtful) {
      // The kernel drops it by its timer or by the next segment, whichever comes first.
      row.stay = Stay(nanoseconds: end - connection.pointee.entered, kind: .atLeast)
      row.reason = connection.pointee.flags.contains(.listenerClosed) ? .unaccepted : .unknown
    } else if ranOut {
      row.stay = stay(of: connection, until: earliest)
      if pass.upperBound > earliest, pass.upperBound - earliest > Self.tolerance { row.stay?.kind = .atLeast }
      row.reason = state == .timeWait ? .fin : .timeout
    } else if wasSeen {
      row.stay = Stay(nanoseconds: end - connection.pointee.entered, kind: .atLeast)
      row.reason = .resetReceived
      if connection.pointee.flags.contains(.takenOver) {
        // A SYN takes over a TIME-WAIT only. An orphan may have got a FIN and have been one, or a RST before the SYN.
        row.reason = state == .timeWait ? .reused : .unknown
      }
    } else {
      row.reason = overflowed ? .timeWaitOverflow : .unknown
      if overflowed { row.setTime(.exact, error: nil) }  // it never began
    }
  }

  /// Ends the TIME-WAIT whose addresses a new connection has taken over.
  ///
  /// - Parameters:
  ///   - time: when the new connection's SYN was sent or received.
  ///   - isExact: whether it was then, not earlier.
  public mutating func concludeReused(at time: UInt64, _ key: UInt64, isExact: Bool = false, to row: inout Transition) {
    guard let connection = table.find(key) else { return }
    let stay = stay(of: connection, until: time)
    write(connection, at: max(time, connection.pointee.entered), source: .derived, to: &row)
    row.setTime(isExact ? .exact : .atMost, error: nil)
    row.old = connection.pointee.state
    row.new = .closed
    row.stay = stay
    row.reason = .reused
    forget(connection)
  }
}
