import CTCPStateEvent

/// Following connections whose full socket is gone or isn't there yet.
///
/// The kernel tells nothing of timewait minisocks and half-open requests, so
/// readings of its tables find out what became of them. Their own time stamps
/// and timers make the derived rows exact although the reading comes later.
extension ConnectionTracker {
  /// TIME-WAIT lasts this long at the least: TCP_TIMEWAIT_LEN, include/net/tcp.h.
  static let timeWaitSeconds: UInt64 = 60

  /// An end between two readings closer than this, in nanoseconds, is exact.
  static let tolerance: UInt64 = 50_000_000

  /// What waits for a reading, as of the last one.
  public struct Silent: Sendable {
    /// Minisocks of orphans, which may go to TIME-WAIT any time, and half-open requests.
    public var changing = 0
    /// When the first timer fires that nobody else tells of, CLOCK_MONOTONIC.
    public var nextExpiry = UInt64.max
    /// When the first one was entered that no reading has confirmed.
    public var oldestUnconfirmed = UInt64.max
    /// Network namespaces that hold some.
    public var namespaces: Set<UInt32> = []
  }

  /// Connections that only readings tell of.
  public var silentCount: Int { table.minisockCount + requestCount }

  /// A connection has become silent, or was found so.
  mutating func noteSilent(_ connection: UnsafeMutablePointer<Connection>) {
    silent.namespaces.insert(connection.pointee.netns)
    if connection.pointee.flags.contains(.request) || connection.pointee.state == .finWait2 { silent.changing += 1 }
    silent.oldestUnconfirmed = min(silent.oldestUnconfirmed, connection.pointee.entered)
  }

  // MARK: - Tracepoints beside the state's

  /// A half-open request had to send its SYN-ACK again.
  ///
  /// - Returns: whether there is a row, for its first time: LISTEN → SYN-RECEIVED.
  mutating func applySynAck(_ event: UnsafePointer<tcpstate_event>, to row: inout Transition) -> Bool {
    let key = Self.key(event)
    if let known = table.find(key) {
      known.pointee.synAckRetransmits = UInt8(clamping: event.pointee.retransmits)
      known.pointee.expires = rearmedFiring(event)
      return false
    }
    guard isReadable(event.pointee.netns) else { return false }
    let connection = insert(key, from: event, state: .synReceived)
    if table.isUnkept(connection) {
      // Each of its SYN-ACKs, and its handshake, would be told as if it were the first of it.
      forget(connection)
      return false
    }
    adoptRequest(connection, event, age: UInt64(event.pointee.total_rto_time_ms) * 1_000_000)
    write(connection, at: connection.pointee.entered, source: .derived, to: &row)
    row.old = .listen
    row.new = .synReceived
    return true
  }

  /// We sent a RST for an orphan in FIN-WAIT-2 that got data: nobody can read it.
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

  /// Applies what a reading says of a minisock or request.
  ///
  /// - Returns: whether there is a row: FIN-WAIT-2 → TIME-WAIT, which no event tells.
  mutating func applySilent(
    _ connection: UnsafeMutablePointer<Connection>, _ snapshot: UnsafePointer<tcpstate_snapshot>,
    _ event: UnsafePointer<tcpstate_event>, to row: inout Transition
  ) -> Bool {
    connection.pointee.flags.insert(.confirmed)
    // If the handshake's events were lost it may not know its port yet.
    if !connection.pointee.isSilent { update(connection, from: event) }
    if Int32(event.pointee.kind) == TCPSTATE_KIND_REQUEST {
      connection.pointee.synAckRetransmits = UInt8(clamping: event.pointee.retransmits)
      connection.pointee.expires = requestFiring(snapshot)
      return false
    }
    let substate = TCPState(number: event.pointee.state_new)
    var isRow = false
    if substate == .timeWait, connection.pointee.state != .timeWait {
      let entered = timeWaitEntry(snapshot) ?? event.pointee.timestamp_ns
      let from = connection.pointee.state
      // Only from these does one step lead there; from others some were lost.
      let isOneStep = from == .finWait2 || from == .closing
      let stay = isOneStep ? stay(of: connection, until: entered) : stayBeforeLoss(connection, seen: entered)
      write(connection, at: entered, source: .derived, to: &row)
      row.old = from
      row.new = .timeWait
      row.stay = stay
      row.reason = .fin
      row.receiveNext = event.pointee.receive_next
      enter(connection, .timeWait, at: entered, exactly: timeWaitEntry(snapshot) != nil)
      isRow = true
    }
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

  /// When TIME-WAIT was entered, by the minisock itself: its stamp in
  /// milliseconds where the kernel keeps one, else 60 s before its timer.
  func timeWaitEntry(_ snapshot: UnsafePointer<tcpstate_snapshot>) -> UInt64? {
    let event = snapshot.pointee.event
    if Int32(event.flags) & TCPSTATE_FLAG_HAS_ENTRY_STAMP != 0 {
      let now = event.timestamp_ns / 1_000_000
      let age = UInt32(truncatingIfNeeded: now) &- snapshot.pointee.entry_stamp_ms
      guard age < 1 << 31, age <= now else { return nil }
      return (now - UInt64(age)) * 1_000_000
    }
    guard let wheel, let ticks = ticksPerSecond,
      let entered = wheel.time(ofJiffies: snapshot.pointee.timer_expires &- Self.timeWaitSeconds * ticks),
      entered <= event.timestamp_ns
    else { return nil }
    return entered
  }

  private func firing(
    of connection: UnsafeMutablePointer<Connection>, _ snapshot: UnsafePointer<tcpstate_snapshot>
  ) -> UInt64? {
    guard let wheel, let ticks = ticksPerSecond, snapshot.pointee.timer_expires != 0 else { return nil }
    let expires = snapshot.pointee.timer_expires
    var delta = Self.timeWaitSeconds * ticks
    if connection.pointee.state == .finWait2 {
      // Its timeout is the socket's (TCP_LINGER2, tcp_fin_timeout), from the stamp
      // on; without a stamp it fires no earlier than if it were armed now.
      let isStamped = Int32(snapshot.pointee.event.flags) & TCPSTATE_FLAG_HAS_ENTRY_STAMP != 0
      let stamp = isStamped ? timeWaitEntry(snapshot).flatMap { wheel.jiffies(at: $0) } : nil
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

  /// When the timer fires that has just sent a SYN-ACK again: it counts one more timeout, and is armed anew
  /// (reqsk_timer_handler()).
  private func rearmedFiring(_ event: UnsafePointer<tcpstate_event>) -> UInt64 {
    guard let wheel, let ticks = ticksPerSecond, let now = wheel.jiffies(at: event.pointee.timestamp_ns)
    else { return 0 }
    let delta = ticks << (UInt64(min(event.pointee.timeouts, 15)) + 1)
    return wheel.time(ofJiffies: TimerWheel.firing(expires: now &+ delta, delta: delta)) ?? 0
  }

  /// A half-open request, from whichever record told of it first.
  mutating func adoptRequest(
    _ connection: UnsafeMutablePointer<Connection>, _ event: UnsafePointer<tcpstate_event>, age: UInt64
  ) {
    update(connection, from: event)
    if connection.pointee.ownerPID == 0 { inheritOwner(connection) }
    connection.pointee.role = .server
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

  /// Ends a silent connection that a reading no longer found.
  ///
  /// - Parameters:
  ///   - pass: when that reading began and ended; `lastSeen`: when the one before it began.
  ///   - overflowed: the kernel has refused minisocks meanwhile (tcp_max_tw_buckets).
  func describeEnd(
    _ connection: UnsafeMutablePointer<Connection>, pass: ClosedRange<UInt64>, lastSeen: UInt64, overflowed: Bool,
    to row: inout Transition
  ) {
    let expires = connection.pointee.expires
    let state = connection.pointee.state
    let wasSeen = connection.pointee.flags.contains(.confirmed)
    // Its place in the table may have been read at the reading's very end, and on a busy machine that is
    // long after its begin. The timer is due up to a tick earlier than reckoned, for jiffies don't tell
    // how much of their tick is over.
    let ranOut = wasSeen && expires != 0 && expires <= pass.upperBound.saturatingAdding(wheel?.tick ?? 0)
    // It ended after its timer was due and after it was last seen. The timer of
    // a minisock is deferrable: an idle CPU lets it wait.
    let due = ranOut ? min(expires, pass.upperBound) : 0
    let end = max(connection.pointee.entered, due, min(lastSeen, pass.lowerBound))
    write(connection, at: end, source: .derived, to: &row)
    row.old = state
    row.new = .closed
    if ranOut {
      row.stay = stay(of: connection, until: end)
      if pass.upperBound > end, pass.upperBound - end > Self.tolerance { row.stay?.kind = .atLeast }
      row.reason = state == .timeWait ? .fin : .timeout
    } else if wasSeen {
      row.stay = Stay(nanoseconds: end - connection.pointee.entered, kind: .atLeast)
      row.reason = .resetReceived
    } else {
      row.reason = overflowed && state == .timeWait ? .timeWaitOverflow : .unknown
    }
  }

  /// The TIME-WAIT whose addresses a new connection has taken over.
  ///
  /// - Parameter time: when the new connection's SYN was sent or came.
  public mutating func concludeReused(at time: UInt64, _ key: UInt64, to row: inout Transition) {
    guard let connection = table.find(key) else { return }
    let stay = stay(of: connection, until: time)
    write(connection, at: max(time, connection.pointee.entered), source: .derived, to: &row)
    row.old = connection.pointee.state
    row.new = .closed
    row.stay = stay
    row.reason = .reused
    forget(connection)
  }
}
