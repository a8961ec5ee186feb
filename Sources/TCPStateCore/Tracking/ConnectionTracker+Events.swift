// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent

/// Transitions as the tracepoint reports them: find or open the connection, measure the stay, decide what a
/// CLOSE means, commit.
extension ConnectionTracker {
  /// One transition on its way from record to row.
  private struct Change {
    let old: TCPState
    /// First as reported, then as it really is: the kernel's CLOSE may mean TIME-WAIT.
    var new: TCPState
    var stay: Stay?
    var reason: Reason?
    var resetReason: ResetReason?

    @inline(__always)
    init(_ event: UnsafePointer<tcpstate_event>) {
      old = TCPState(number: event.pointee.state_old)
      new = TCPState(number: event.pointee.state_new)
    }

    /// Whether a listener's child is created.
    var isChild: Bool { old == .listen && new == .synReceived }

    /// Whether a socket's life begins.
    var opens: Bool { old == .closed || isChild }
  }

  /// Applies one record of the ring buffer.
  ///
  /// - Parameters:
  ///   - event: borrowed for the call.
  ///   - row: filled when the result is true.
  /// - Returns: whether there is a row. There is none for the kernel's own
  ///   steps that change nothing on the wire, such as FIN-WAIT-2's move into a minisock.
  public mutating func apply(_ event: UnsafePointer<tcpstate_event>, to row: inout Transition) -> Bool {
    if event.pointee.kind != TCPSTATE_KIND_TRANSITION {
      switch Int32(event.pointee.kind) {
      case TCPSTATE_KIND_SYN_ACK: return applySynAck(event, to: &row)
      case TCPSTATE_KIND_OWNER: return applyOwner(event)
      default: return applyResetSent(event, to: &row)
      }
    }
    var change = Change(event)
    if change.old == change.new {
      noteClosed(event, in: change.old)
      return false
    }
    // Before Linux 6.15 this event doesn't describe the child yet (inet_csk_clone_lock()).
    // If the source couldn't complete it, the child begins with its next event.
    if change.isChild, event.pointee.peer_port == 0 { return false }
    guard let connection = findOrOpen(event, &change) else { return false }
    learn(connection, from: event, old: change.old, new: change.new)
    if change.old == .synReceived { change.stay = synReceivedStay(event, connection, spacing: change.stay) }
    guard Self.decideEnding(event, &change) else {
      becomeMinisock(connection, at: event.pointee.timestamp_ns)
      return false  // still FIN-WAIT-2, in another form
    }
    commit(change, to: connection, event, &row)
    return true
  }

  // MARK: - Find or open

  /// The record's connection, or a fresh one, and the stay in its old state.
  ///
  /// - Returns: `nil` if a half-open request, known from an iterator, merely became a socket.
  @inline(__always)
  private mutating func findOrOpen(
    _ event: UnsafePointer<tcpstate_event>, _ change: inout Change
  ) -> UnsafeMutablePointer<Connection>? {
    guard let known = table.find(Self.key(event)) else { return openUnknown(event, &change) }
    if known.pointee.flags.contains(.request) {
      known.pointee.flags.remove(.request)
      known.pointee.silentSince = 0
      requestCount -= 1
      if change.opens {
        Self.update(known, from: event)
        return nil
      }
    }
    guard change.opens else {
      change.stay = measure(known, event, in: change.old)
      return known
    }
    // Either its end was missed, or a reading of the tables was faster than this event.
    if !known.pointee.flags.contains(.older) { unmatched += 1 }
    forget(known)
    return insert(Self.key(event), from: event, state: change.old)
  }

  /// Opens a connection that wasn't known. Since all events are seen from `completeSince` on, it has been in its
  /// state at least that long.
  @inline(__always)
  private mutating func openUnknown(
    _ event: UnsafePointer<tcpstate_event>, _ change: inout Change
  ) -> UnsafeMutablePointer<Connection>? {
    // The kernel side passes on whatever leaves SYN-SENT, because connect() may have chosen another port.
    if change.old == .synSent, let localPorts, !localPorts.contains(event.pointee.local_port),
      !portsMayBePeers || !localPorts.contains(event.pointee.peer_port)
    {
      return nil
    }
    let time = event.pointee.timestamp_ns
    let isUnknownChild = change.old == .synReceived && change.new == .established
    let isOlder = !change.opens && !isUnknownChild
    if isOlder {
      // By cgroup, a connection is selected as soon as one of its processes is seen with it.
      if knowsExisting, crowdedOut == 0, adoptsMinisocks { unmatched += 1 }
      if completeSince > 0, time > completeSince {
        change.stay = Stay(nanoseconds: time - completeSince, kind: .atLeast)
      }
    }
    let connection = insert(Self.key(event), from: event, state: change.old)
    if isUnknownChild { connection.pointee.role = .server }
    if isOlder { connection.pointee.flags.insert(.older) }
    return connection
  }

  // MARK: - Measure

  /// How long a known connection was in the state that it leaves; `nil` if it was tracked in another state.
  @inline(__always)
  private mutating func measure(
    _ known: UnsafeMutablePointer<Connection>, _ event: UnsafePointer<tcpstate_event>, in old: TCPState
  ) -> Stay? {
    guard known.pointee.state == old, known.pointee.entered <= event.pointee.timestamp_ns else {
      unmatched += 1
      return nil
    }
    return Stay(
      nanoseconds: event.pointee.timestamp_ns - known.pointee.entered,
      kind: known.pointee.flags.contains(.enteredExactly) ? .exact : .atLeast)
  }

  /// The true time that a listener's child spent in SYN-RECEIVED.
  ///
  /// The kernel creates the child only when the handshake's last ACK arrives, so
  /// its events are 20 µs apart however long the handshake took. Its first RTT
  /// sample runs from the SYN-ACK to that ACK (tcp_synack_rtt_meas(),
  /// net/ipv4/tcp_input.c). If the SYN-ACK was retransmitted there is no sample,
  /// but newer kernels sum the timeouts (total_rto_time).
  private func synReceivedStay(
    _ event: UnsafePointer<tcpstate_event>, _ connection: UnsafeMutablePointer<Connection>, spacing: Stay?
  ) -> Stay? {
    guard connection.pointee.role == .server else { return spacing }
    let retransmits = event.pointee.retransmits
    connection.pointee.synAckRetransmits = UInt8(clamping: retransmits)
    if connection.pointee.flags.contains(.wasRequest), let spacing { return spacing }
    let measured = UInt64(event.pointee.smoothed_rtt_us8 >> 3) * 1000
    let seen = spacing?.nanoseconds ?? 0
    if retransmits == 0 {
      // No sample, or one in whole milliseconds, which comes from TCP timestamps:
      // the client answered a SYN cookie, so the kernel had kept nothing about the SYN.
      guard measured % 1_000_000 != 0 else { return Stay(nanoseconds: seen, kind: .atLeast) }
      return Stay(nanoseconds: max(measured, seen), kind: .exact)
    }
    let flags = Int32(event.pointee.flags)
    if flags & TCPSTATE_FLAG_HAS_RTO_TIME != 0, event.pointee.total_rto_time_ms > 0 {
      return Stay(nanoseconds: max(UInt64(event.pointee.total_rto_time_ms) * 1_000_000, seen), kind: .exact)
    }
    // At least the timeouts have passed: 1 s, doubled each time (RFC 6298, section 2).
    let timeouts = (UInt64(1) << UInt64(min(retransmits, 7))) - 1
    return Stay(nanoseconds: max(timeouts * 1_000_000_000, seen), kind: .atLeast)
  }

  // MARK: - Learn

  /// Takes over what a transition says about the connection as a whole.
  @inline(__always)
  private mutating func learn(
    _ connection: UnsafeMutablePointer<Connection>, from event: UnsafePointer<tcpstate_event>,
    old: TCPState, new: TCPState
  ) {
    Self.update(connection, from: event)
    switch (old, new) {
    case (.closed, .synSent): connection.pointee.role = .client
    case (.listen, .synReceived): connection.pointee.role = .server
    case (.closed, .listen), (.listen, .closed): connection.pointee.role = .listener
    case (.established, .finWait1): connection.pointee.closer = .active
    case (.established, .closeWait): connection.pointee.closer = .passive
    case (.finWait1, .closing): connection.pointee.closer = .both
    default: break
    }
    if old == .listen || old == .synReceived, connection.pointee.role == .server,
      !connection.pointee.flags.contains(.older)
    {
      if connection.pointee.ownerPID == 0 { inheritOwner(connection) }
      if new == .established { seekOwner(connection, from: event.pointee.timestamp_ns) }
    }
    guard old != .listen, new != .listen, new != .synSent else { return }
    if new == .finWait1 || new == .lastAck || old.hasSentFin { learnFinCall(connection, event, old: old) }
    Self.count(connection, from: event, sequenced: old.isSynchronized || new == .established)
  }

  /// Learns which call sent this end's FIN.
  ///
  /// close() shuts the receive direction down before it sends the FIN, as shutdown(SHUT_RDWR) does, and
  /// shutdown(SHUT_WR) doesn't. Afterwards no process can reach a socket that was closed, unless close() waits
  /// (SO_LINGER).
  private func learnFinCall(
    _ connection: UnsafeMutablePointer<Connection>, _ event: UnsafePointer<tcpstate_event>, old: TCPState
  ) {
    guard connection.pointee.flags.isDisjoint(with: [.finByShutdown, .finByClose]) else { return }
    if old.hasSentFin {
      let record = EventRecord(event)
      if record.has(TCPSTATE_FLAG_HAS_SOCKET) {
        if !record.has(TCPSTATE_FLAG_LINGER) { connection.pointee.flags.insert(.finByShutdown) }
      } else if connection.pointee.entered >= completeSince {
        // Otherwise the close() after a shutdown() may have been missed.
        connection.pointee.flags.insert(.finByClose)
      }
    } else if old != .closeWait, !EventRecord(event).has(TCPSTATE_FLAG_RECEIVE_SHUTDOWN) {
      connection.pointee.flags.insert(.finByShutdown)
    }
  }

  /// close() of a socket that has sent its FIN already leaves it in its state: shutdown() sent the FIN.
  private mutating func noteClosed(_ event: UnsafePointer<tcpstate_event>, in state: TCPState) {
    guard state.hasSentFin, let connection = table.find(Self.key(event)),
      connection.pointee.flags.isDisjoint(with: [.finByShutdown, .finByClose])
    else { return }
    connection.pointee.flags.insert(.finByShutdown)
  }

  // MARK: - Decide

  /// Decides what a CLOSE means: TIME-WAIT, or an end with its reason.
  ///
  /// - Returns: false if it means neither, because FIN-WAIT-2 continues in a minisock.
  @inline(__always)
  private static func decideEnding(_ event: UnsafePointer<tcpstate_event>, _ change: inout Change) -> Bool {
    guard change.new == .closed else { return true }
    switch Ending(event, old: change.old) {
    case .timeWait:
      change.new = .timeWait
      change.reason = .fin
    case .finWait2Minisock:
      return false
    case .closed(let why):
      change.reason = why
      change.resetReason = Self.resetReason(event)
    }
    return true
  }

  // MARK: - Commit

  /// Fills the row and moves the connection into its new state.
  @inline(__always)
  private mutating func commit(
    _ change: Change, to connection: UnsafeMutablePointer<Connection>, _ event: UnsafePointer<tcpstate_event>,
    _ row: inout Transition
  ) {
    write(connection, event, to: &row)
    row.old = change.old
    row.new = change.new
    row.stay = change.stay
    row.reason = change.reason
    row.resetReason = change.resetReason
    connection.pointee.flags.remove(.ownerChanged)
    guard change.new != .closed else {
      if change.old == .listen { closeListener(connection, at: event.pointee.timestamp_ns) }
      return forget(connection)
    }
    enter(connection, change.new, at: event.pointee.timestamp_ns, exactly: true)
    guard change.new != .timeWait else { return becomeMinisock(connection, at: event.pointee.timestamp_ns) }
    if change.new == .established, table.minisockCount > 0 { noteReuse(connection, event, change.stay) }
    if table.isUnkept(connection) { forget(connection) }
  }

  private mutating func becomeMinisock(_ connection: UnsafeMutablePointer<Connection>, at time: UInt64) {
    guard followsMinisocks, isReadable(connection.pointee.netns), !table.isUnkept(connection)
    else { return forget(connection) }
    releaseAddress(connection)
    connection.pointee.silentSince = time
    table.setMinisock(connection, true)
    noteSilent(connection)
  }

  /// Checks on a completed handshake whether its addresses belonged to a TIME-WAIT, which then ended with the SYN.
  mutating func noteReuse(
    _ connection: UnsafeMutablePointer<Connection>, _ event: UnsafePointer<tcpstate_event>, _ stay: Stay?
  ) {
    let minisock = table.findMinisock(
      local: connection.pointee.local, peer: connection.pointee.peer, netns: connection.pointee.netns)
    guard let minisock else { return }
    guard minisock.pointee.state == .timeWait else {
      minisock.pointee.flags.insert(.takenOver)
      return
    }
    // A client's SYN went out at its event; a server's child knows when it came to the microsecond at best.
    let isExact = connection.pointee.role == .client && stay?.kind == .exact
    reused = (minisock.pointee.key, event.pointee.timestamp_ns &- (stay?.nanoseconds ?? 0), isExact)
  }
}
