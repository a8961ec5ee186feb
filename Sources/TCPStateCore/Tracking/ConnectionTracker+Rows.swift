import CTCPStateEvent

/// From what is known of a connection to the fields of a row.
extension ConnectionTracker {
  static var localAddressOffset: Int { Int(TCPSTATE_OFFSET_LOCAL_ADDRESS) }
  static var peerAddressOffset: Int { Int(TCPSTATE_OFFSET_PEER_ADDRESS) }
  static var ownerNameOffset: Int { Int(TCPSTATE_OFFSET_OWNER_NAME) }
  static var actorNameOffset: Int { Int(TCPSTATE_OFFSET_ACTOR_NAME) }
  static var congestionControlOffset: Int { Int(TCPSTATE_OFFSET_CONGESTION_CONTROL) }

  /// Safe: the offsets are those of 16-byte members of the record.
  @inline(__always)
  static func address(_ event: UnsafePointer<tcpstate_event>, offset: Int) -> IPAddress {
    IPAddress(networkOrder: UnsafeRawPointer(event) + offset)
  }

  /// Safe as `address(_:offset:)`.
  @inline(__always)
  static func name(_ event: UnsafePointer<tcpstate_event>, offset: Int) -> ShortName {
    ShortName(padded: UnsafeRawPointer(event) + offset)
  }

  /// Why a RST of ours that the record is of, or that followed it, was sent.
  @inline(__always)
  static func resetReason(_ event: UnsafePointer<tcpstate_event>) -> ResetReason? {
    guard
      Int32(event.pointee.flags) & TCPSTATE_FLAG_RESET_SENT != 0 || event.pointee.kind == TCPSTATE_KIND_RESET_SENT
    else { return nil }
    return ResetReason(rawValue: event.pointee.backoff)
  }

  /// All of a row but states, stay and reason: from the record, and from the
  /// connection where the record is silent.
  ///
  /// The work is done by functions that don't get the tracker: the compiler makes a copy of all of it
  /// for each call of one that is handed it, and isn't inlined.
  @inline(__always)
  func write(
    _ connection: UnsafeMutablePointer<Connection>, _ event: UnsafePointer<tcpstate_event>,
    to row: inout Transition
  ) {
    write(connection, at: event.pointee.timestamp_ns, source: .event, to: &row)
    Self.writeEvent(connection, event, ticksPerSecond: ticksPerSecond, to: &row)
  }

  /// What only the record tells.
  private static func writeEvent(
    _ connection: UnsafeMutablePointer<Connection>, _ event: UnsafePointer<tcpstate_event>,
    ticksPerSecond: UInt64?, to row: inout Transition
  ) {
    if event.pointee.actor_pid != 0, trusts(event, connection) {
      row.actorPID = event.pointee.actor_pid
      row.actorName = name(event, offset: actorNameOffset)
    }
    row.socketAddress = event.pointee.socket_address == 0 ? nil : event.pointee.socket_address

    writeFlow(
      event, old: TCPState(number: event.pointee.state_old), new: TCPState(number: event.pointee.state_new),
      ticksPerSecond: ticksPerSecond, to: &row)
  }

  /// Windows, timers, and what is under way, of a full socket.
  @inline(__always)
  static func writeFlow(
    _ event: UnsafePointer<tcpstate_event>, old: TCPState, new: TCPState, ticksPerSecond: UInt64?,
    to row: inout Transition
  ) {
    // A listener's counters, and a child's before its first ACK, say nothing.
    guard old != .listen, new != .listen else { return }
    row.congestionControl = Self.name(event, offset: Self.congestionControlOffset)
    if let ticks = ticksPerSecond { row.rtoMicroseconds = UInt64(event.pointee.rto_jiffies) * 1_000_000 / ticks }
    guard new != .synSent else { return }
    row.segmentsSent = event.pointee.segments_sent
    row.segmentsReceived = event.pointee.segments_received
    row.congestionWindowPackets = event.pointee.congestion_window
    if event.pointee.slow_start_threshold < 0x7fff_ffff {
      row.slowStartThresholdPackets = event.pointee.slow_start_threshold
    }
    if old == .synSent, new == .closed, event.pointee.segments_sent > 0 {
      row.initialSendSequence = event.pointee.send_unacknowledged  // the SYN, which nothing acknowledged
    }
    guard old.isSynchronized || new == .established else { return }
    let counters = PayloadCounters(event)
    row.sendUnacknowledged = event.pointee.send_unacknowledged
    row.unreadBytes = counters.unread
    row.unacknowledgedBytes = counters.unacknowledged
    row.unsentBytes = counters.unsent
    row.sendWindowBytes = event.pointee.send_window
    row.receiveWindowBytes = event.pointee.receive_window
  }

  /// What the connection alone tells: all there is for derived rows.
  @inline(__always)
  func write(
    _ connection: UnsafeMutablePointer<Connection>, at time: UInt64, source: Source, to row: inout Transition
  ) {
    Self.writeConnection(connection, wallTime: time &+ wallOffset, source: source, to: &row)
  }

  private static func writeConnection(
    _ connection: UnsafeMutablePointer<Connection>, wallTime: UInt64, source: Source, to row: inout Transition
  ) {
    row = Transition()
    row.time = wallTime
    row.source = source
    row.connection = connection.pointee.id
    row.role = connection.pointee.role
    row.closer = connection.pointee.closer
    if connection.pointee.ownerPID != 0 {
      row.ownerPID = connection.pointee.ownerPID
      row.ownerName = connection.pointee.ownerName
    }
    if connection.pointee.flags.contains(.userKnown) { row.userID = connection.pointee.userID }
    if connection.pointee.cgroup != 0 { row.cgroup = connection.pointee.cgroup }
    if connection.pointee.netns != 0 { row.netns = connection.pointee.netns }
    if connection.pointee.interface != 0 { row.interface = connection.pointee.interface }
    row.local = connection.pointee.local
    row.peer = connection.pointee.peer
    if connection.pointee.flags.contains(.counted) {
      row.bytesSent = connection.pointee.bytesSent
      row.bytesReceived = connection.pointee.bytesReceived
      row.retransmits = connection.pointee.retransmits
      if connection.pointee.rttMicroseconds != 0 { row.rttMicroseconds = connection.pointee.rttMicroseconds }
    }
    if connection.pointee.flags.contains(.sequenced) {
      row.initialSendSequence = connection.pointee.initialSendSequence
      row.initialReceiveSequence = connection.pointee.initialReceiveSequence
      row.sendNext = connection.pointee.sendNext
      row.receiveNext = connection.pointee.receiveNext
    }
    if connection.pointee.role == .server, connection.pointee.flags.contains(.counted) {
      row.synAckRetransmits = UInt32(connection.pointee.synAckRetransmits)
    }
  }
}
