// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent

/// Fills the fields of a row from what is known about a connection.
extension ConnectionTracker {
  static var localAddressOffset: Int { Int(TCPSTATE_OFFSET_LOCAL_ADDRESS) }
  static var peerAddressOffset: Int { Int(TCPSTATE_OFFSET_PEER_ADDRESS) }
  static var ownerNameOffset: Int { Int(TCPSTATE_OFFSET_OWNER_NAME) }
  static var actorNameOffset: Int { Int(TCPSTATE_OFFSET_ACTOR_NAME) }
  static var congestionControlOffset: Int { Int(TCPSTATE_OFFSET_CONGESTION_CONTROL) }

  /// Safe because the offsets are those of 16-byte members of the record.
  @inline(__always)
  static func address(_ event: UnsafePointer<tcpstate_event>, offset: Int) -> IPAddress {
    IPAddress(networkOrder: UnsafeRawPointer(event) + offset)
  }

  /// Safe for the same reason as `address(_:offset:)`.
  @inline(__always)
  static func name(_ event: UnsafePointer<tcpstate_event>, offset: Int) -> ShortName {
    ShortName(padded: UnsafeRawPointer(event) + offset)
  }

  /// A process's id as rows have it: `nil` if the process has none in the tracer's PID namespace.
  @inline(__always)
  static func visible(_ pid: UInt32) -> UInt32? { pid & TCPSTATE_PID_OUTSIDE == 0 ? pid : nil }

  /// Why this host sent the RST that the record reports, or that followed its transition.
  @inline(__always)
  static func resetReason(_ event: UnsafePointer<tcpstate_event>) -> ResetReason? {
    EventRecord(event).resetReason
  }

  /// Fills a row except for its states, stay and reason: from the record, or from the
  /// connection where the record says nothing.
  ///
  /// Static functions without the tracker do the work: the compiler copies the whole tracker for each call
  /// of a method that isn't inlined.
  @inline(__always)
  func write(
    _ connection: UnsafeMutablePointer<Connection>, _ event: UnsafePointer<tcpstate_event>,
    to row: inout Transition
  ) {
    write(connection, at: event.pointee.timestamp_ns, source: .event, to: &row)
    Self.writeEvent(connection, event, to: &row)
    guard fillsReadings else { return }
    Self.writeFlow(
      event, old: TCPState(number: event.pointee.state_old), new: TCPState(number: event.pointee.state_new),
      ticksPerSecond: ticksPerSecond, to: &row)
  }

  /// Fills what only the record contains, except for readings.
  @inline(__always)
  private static func writeEvent(
    _ connection: UnsafeMutablePointer<Connection>, _ event: UnsafePointer<tcpstate_event>, to row: inout Transition
  ) {
    if event.pointee.actor_pid != 0, trusts(event, connection) {
      row.actorPID = Self.visible(event.pointee.actor_pid)
      row.actorName = name(event, offset: actorNameOffset)
    }
    row.socketAddress = event.pointee.socket_address == 0 ? nil : event.pointee.socket_address
    let record = EventRecord(event)
    if record.old == .synSent, record.new == .closed, event.pointee.segments_sent > 0 {
      row.initialSendSequence = event.pointee.send_unacknowledged  // of the SYN, which nobody acknowledged
    }
  }

  /// Fills the readings of a full socket: windows, timers and bytes in flight.
  static func writeFlow(
    _ event: UnsafePointer<tcpstate_event>, old: TCPState, new: TCPState, ticksPerSecond: UInt64?,
    to row: inout Transition
  ) {
    // A listener's counters mean nothing, nor do a child's before its first ACK.
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
    guard old.isSynchronized || new == .established else { return }
    let counters = PayloadCounters(event)
    row.sendUnacknowledged = event.pointee.send_unacknowledged
    row.unreadBytes = counters.unread
    row.unacknowledgedBytes = counters.unacknowledged
    row.unsentBytes = counters.unsent
    row.receiveShutdown = Int32(event.pointee.flags) & TCPSTATE_FLAG_RECEIVE_SHUTDOWN == 0 ? 0 : 1
    row.sendWindowBytes = event.pointee.send_window
    row.receiveWindowBytes = event.pointee.receive_window
  }

  /// Fills what the tracked connection alone says, which is all there is for derived rows.
  @inline(__always)
  func write(
    _ connection: UnsafeMutablePointer<Connection>, at time: UInt64, source: Source, to row: inout Transition
  ) {
    Self.writeConnection(connection, wallTime: time &+ wallOffset, source: source, to: &row)
    if let workloads {
      row.workload = workloads.workload(cgroup: row.cgroup, pid: row.ownerPID, name: row.ownerName)
    }
  }

  private static func writeConnection(
    _ connection: UnsafeMutablePointer<Connection>, wallTime: UInt64, source: Source, to row: inout Transition
  ) {
    row = Transition()
    row.time = wallTime
    if source == .event { row.timeKind = .exact }
    row.source = source
    row.connection = connection.pointee.id
    row.role = connection.pointee.role
    row.closer = connection.pointee.closer
    if connection.pointee.ownerPID != 0 {
      row.ownerPID = visible(connection.pointee.ownerPID)
      row.ownerName = connection.pointee.ownerName
      row.ownerKind = connection.pointee.ownerKind
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
    if !connection.pointee.flags.isDisjoint(with: [.finByShutdown, .finByClose]) {
      row.finCall = connection.pointee.flags.contains(.finByShutdown) ? .shutdown : .close
    }
  }
}
