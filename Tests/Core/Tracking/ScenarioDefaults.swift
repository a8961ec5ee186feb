// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent
import TCPStateCore

/// What a field of a scenario's row is compared with if the line doesn't name it.
///
/// Facts of the connection are as in its row before, and unknown in its first. What a record of the tracepoint says is
/// in its row too, bytes and sequence numbers raw. Conclusions have to be named: a role, an ending and its reason, and
/// a stay that isn't the time since the row before.
struct ScenarioDefaults {
  /// The connection's row before, if there is one.
  let previous: Transition?
  /// CONFIG_HZ, if it is known.
  let ticks: UInt64?
  /// Wall-clock time of the scenario's zero.
  let start: UInt64

  /// For a row without a record of its own: what is known of the connection.
  func carried() -> Transition {
    var row = Transition()
    guard let previous else { return row }
    row.connection = previous.connection
    row.role = previous.role
    row.closer = previous.closer
    (row.ownerPID, row.ownerName, row.ownerKind) = (previous.ownerPID, previous.ownerName, previous.ownerKind)
    row.userID = previous.userID
    (row.cgroup, row.netns, row.interface) = (previous.cgroup, previous.netns, previous.interface)
    (row.local, row.peer) = (previous.local, previous.peer)
    (row.bytesSent, row.bytesReceived) = (previous.bytesSent, previous.bytesReceived)
    (row.rttMicroseconds, row.retransmits) = (previous.rttMicroseconds, previous.retransmits)
    row.initialSendSequence = previous.initialSendSequence
    row.initialReceiveSequence = previous.initialReceiveSequence
    (row.sendNext, row.receiveNext) = (previous.sendNext, previous.receiveNext)
    row.synAckRetransmits = previous.synAckRetransmits
    row.finCall = previous.finCall
    return row
  }

  /// For a row that comes at its event.
  ///
  /// - Parameter role: as the line names it, if it does.
  func row(of event: tcpstate_event, role: Role?) -> Transition {
    var row = carried()
    let (old, new) = (TCPState(number: event.state_old), TCPState(number: event.state_new))
    row.time = start + event.timestamp_ns
    row.timeKind = .exact
    if let previous, previous.new == old, previous.time <= row.time {
      row.stay = Stay(nanoseconds: row.time - previous.time, kind: .exact)
    }
    // A minisock's reset says only when it was.
    guard Int32(event.kind) == TCPSTATE_KIND_TRANSITION else { return row }
    row.role = role ?? row.role
    identify(&row, event)
    guard old != .listen, new != .listen else { return row }
    withUnsafePointer(to: event) { row.congestionControl = EventRecord($0).congestionControl }
    row.rtoMicroseconds = ticks.map { UInt64(event.rto_jiffies) * 1_000_000 / $0 }
    guard new != .synSent else { return row }
    if row.finCall == nil { row.finCall = finCall(event, old, new) }
    count(&row, event)
    if old == .synReceived, row.role == .server { row.synAckRetransmits = event.retransmits }
    guard old.isSynchronized || new == .established else { return row }
    sequence(&row, event)
    return row
  }

  /// Which call sent the FIN, by the record alone.
  private func finCall(_ event: tcpstate_event, _ old: TCPState, _ new: TCPState) -> FinCall? {
    let flags = Int32(event.flags)
    if [.finWait1, .finWait2, .closing, .lastAck].contains(old) {
      return flags & TCPSTATE_FLAG_HAS_SOCKET == 0 ? .close : .shutdown
    }
    return new == .finWait1 && flags & TCPSTATE_FLAG_RECEIVE_SHUTDOWN == 0 ? .shutdown : nil
  }

  private func identify(_ row: inout Transition, _ event: tcpstate_event) {
    withUnsafePointer(to: event) { pointer in
      let record = EventRecord(pointer)
      if event.cookie != 0 { row.connection = event.cookie }
      (row.local, row.peer) = (record.local, record.peer)
      if event.owner_pid != 0 {
        (row.ownerPID, row.ownerName) = (event.owner_pid, record.ownerName)
        row.ownerKind = OwnerKind(number: event.owner_kind)
      }
      if event.actor_pid != 0 { (row.actorPID, row.actorName) = (event.actor_pid, record.actorName) }
    }
    row.userID = event.user_id
    row.cgroup = event.cgroup_id == 0 ? nil : event.cgroup_id
    row.netns = event.netns == 0 ? nil : event.netns
    if event.interface_index != 0 { row.interface = event.interface_index }
    row.socketAddress = event.socket_address
  }

  private func count(_ row: inout Transition, _ event: tcpstate_event) {
    row.bytesSent = event.bytes_sent
    row.bytesReceived = event.bytes_received
    row.rttMicroseconds = event.smoothed_rtt_us8 == 0 ? nil : event.smoothed_rtt_us8 / 8
    row.retransmits = event.retransmits
    row.segmentsSent = event.segments_sent
    row.segmentsReceived = event.segments_received
    row.congestionWindowPackets = event.congestion_window
    row.slowStartThresholdPackets = event.slow_start_threshold == 0x7fff_ffff ? nil : event.slow_start_threshold
    if row.role == .server, row.synAckRetransmits == nil { row.synAckRetransmits = 0 }
  }

  private func sequence(_ row: inout Transition, _ event: tcpstate_event) {
    row.sendUnacknowledged = event.send_unacknowledged
    (row.unreadBytes, row.unacknowledgedBytes, row.unsentBytes) = (0, 0, 0)
    row.receiveShutdown = Int32(event.flags) & TCPSTATE_FLAG_RECEIVE_SHUTDOWN == 0 ? 0 : 1
    (row.sendWindowBytes, row.receiveWindowBytes) = (event.send_window, event.receive_window)
    if row.initialSendSequence == nil, row.role == .client || row.role == .server {
      let first = event.send_unacknowledged &- UInt32(truncatingIfNeeded: event.bytes_acknowledged)
      row.initialSendSequence = row.role == .client ? first : first &- 1
      row.initialReceiveSequence = event.receive_next &- UInt32(truncatingIfNeeded: event.bytes_received) &- 1
    }
    guard row.initialSendSequence != nil else { return }
    (row.sendNext, row.receiveNext) = (event.send_next, event.receive_next)
  }
}
