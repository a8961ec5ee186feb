// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// Lives as JSON Lines: one object per connection, with its steps in order.
///
/// As in the rows, unknown values are absent, and 64-bit numbers and ids are
/// strings. Sequence numbers are numbers, modulo 2^32.
public struct LifecycleJSON: Sendable {
  /// Whether sequence numbers are offsets from the initial ones.
  public let relative: Bool
  private var time = TimeText()

  public init(relative: Bool = false) {
    self.relative = relative
  }

  /// Appends one object and a line feed.
  public mutating func append(_ life: Lifecycle, to buffer: inout ByteBuffer) {
    buffer.append("{\"connection_id\":\"")
    buffer.append(hex16: life.id)
    buffer.append("\",\"timestamp\":\"")
    time.append(rfc3339: life.start, to: &buffer)
    buffer.append("\"")
    put(wide: life.start, "timestamp_unix_nano", &buffer)
    put(wide: life.end &- min(life.start, life.end), "duration_ns", &buffer)
    buffer.append(",\"beginning_seen\":\(life.beginningSeen),\"closed\":\(life.isClosed)")
    if let closer = life.closer { put("\(closer)", "closer", &buffer) }
    if let reason = life.reason { put(reason.name.description, "reason", &buffer) }
    for side in Side.allCases { append(life, side, to: &buffer) }
    buffer.append(",\"steps\":[")
    for (index, step) in life.steps.enumerated() {
      if index > 0 { buffer.append(UInt8(ascii: ",")) }
      append(step, life, to: &buffer)
    }
    buffer.append("]}\n")
  }

  private func append(_ life: Lifecycle, _ side: Side, to buffer: inout ByteBuffer) {
    buffer.append(",\"\(side.name)\":{\"observed\":\(life[side] != nil)")
    let endpoint = life[side]?.facts.local ?? life[side.other]?.facts.peer ?? .none
    if !endpoint.address.isUnspecified {
      put(AddressText.string(endpoint.address), "network.local.address", &buffer)
    }
    if endpoint.port != 0 { put(number: UInt64(endpoint.port), "network.local.port", &buffer) }
    if let end = life[side] {
      buffer.append(",\"tcp.connection_id\":\"")
      buffer.append(hex16: end.facts.connection)
      buffer.append("\"")
      put(end.facts.role.name.description, "tcp.role", &buffer)
      put(end.state.name(.openTelemetry), "network.connection.state", &buffer)
      put(number: end.facts.ownerPID.map { UInt64($0) }, "process.pid", &buffer)
      if !end.facts.ownerName.isEmpty { put(name: end.facts.ownerName, "process.executable.name", &buffer) }
      if let kind = end.facts.ownerKind { put(kind.name.description, "tcp.owner_kind", &buffer) }
      put(end.facts.workload, &buffer)
      put(number: end.facts.netns.map { UInt64($0) }, "tcp.netns", &buffer)
      if let reason = end.facts.reason { put(reason.name.description, "tcp.reason", &buffer) }
      if let reason = end.facts.resetReason { put(reason.name.description, "tcp.reset_reason", &buffer) }
    }
    put(number: life.initialSequence(of: side).map { UInt64($0) }, "tcp.initial_send_sequence", &buffer)
    if let bytes = life.bytesSent(by: side) { put(wide: bytes, "tcp.bytes_sent", &buffer) }
    if let row = life[side]?.transfer { append(transfer: row, to: &buffer) }
    buffer.append(UInt8(ascii: "}"))
  }

  private func append(transfer row: Transition, to buffer: inout ByteBuffer) {
    put(number: row.rttMicroseconds.map { UInt64($0) }, "tcp.rtt_us", &buffer)
    put(number: row.retransmits.map { UInt64($0) }, "tcp.retransmits", &buffer)
    if let rto = row.rtoMicroseconds { put(wide: rto, "tcp.rto_us", &buffer) }
    put(number: row.congestionWindowPackets.map { UInt64($0) }, "tcp.congestion_window_packets", &buffer)
    put(number: row.slowStartThresholdPackets.map { UInt64($0) }, "tcp.slow_start_threshold_packets", &buffer)
    put(number: row.sendWindowBytes.map { UInt64($0) }, "tcp.send_window_bytes", &buffer)
    put(number: row.receiveWindowBytes.map { UInt64($0) }, "tcp.receive_window_bytes", &buffer)
    if !row.congestionControl.isEmpty { put(name: row.congestionControl, "tcp.congestion_control", &buffer) }
  }

  /// Appends one step. `phase` comes first, so each later member begins with a comma.
  mutating func append(_ step: LifecycleStep, _ life: Lifecycle, to buffer: inout ByteBuffer) {
    buffer.append("{\"phase\":\"\(step.phase.name)\"")
    put(number: step.number.map { UInt64($0) }, "step", &buffer)
    put(step.side.name.description, "actor", &buffer)
    put(step.basis.name.description, "basis", &buffer)
    if let time = step.time {
      buffer.append(",\"time\":\"")
      self.time.append(rfc3339: time, to: &buffer)
      buffer.append("\"")
      put(wide: time, "time_unix_nano", &buffer)
      if step.timeKind != .exact {
        put(step.timeKind.name.description, "time_kind", &buffer)
        if let error = step.timeError { put(wide: error, "time_error_ns", &buffer) }
      }
    }
    if let act = step.act { put(act.name.description, "act", &buffer) }
    if let reason = step.reason { put(reason.name.description, "reason", &buffer) }
    if let reason = step.resetReason { put(reason.name.description, "reset_reason", &buffer) }
    if let segment = step.segment { append(segment, step.side, life, to: &buffer) }
    if let state = step.state { put(state.name(.openTelemetry), "state_new", &buffer) }
    if let state = step.clientState { put(state.name(.openTelemetry), "state_client", &buffer) }
    if let state = step.serverState { put(state.name(.openTelemetry), "state_server", &buffer) }
    if let stay = step.stay {
      put(wide: stay.nanoseconds, "state_duration_ns", &buffer)
      put(stay.kind.name.description, "duration_kind", &buffer)
    }
    buffer.append(UInt8(ascii: "}"))
  }

  private func append(_ segment: LifecycleSegment, _ side: Side, _ life: Lifecycle, to buffer: inout ByteBuffer) {
    let flags = segment.flags.names.map { "\"\($0)\"" }.joined(separator: ",")
    buffer.append(",\"flags\":[\(flags)]")
    put(number: offset(segment.sequence, side, life), "sequence", &buffer)
    if segment.flags.contains(.ack) {
      put(number: offset(segment.acknowledgement, side.other, life), "acknowledgement", &buffer)
    }
    if segment.isUnanswered { buffer.append(",\"unanswered\":true") }
  }

  private func offset(_ number: UInt32?, _ side: Side, _ life: Lifecycle) -> UInt64? {
    guard let number else { return nil }
    guard relative else { return UInt64(number) }
    return life.initialSequence(of: side).map { UInt64(number &- $0) }
  }

  // MARK: - Members

  /// Appends a member whose text needs no escaping.
  private func put(_ text: String, _ key: String, _ buffer: inout ByteBuffer) {
    buffer.append(",\"\(key)\":\"\(text)\"")
  }

  private func put(_ workload: Workload, _ buffer: inout ByteBuffer) {
    let parts: [(Column, InternedText)] = [
      (.containerID, workload.containerID), (.containerName, workload.containerName), (.podName, workload.podName),
      (.podNamespace, workload.podNamespace), (.unit, workload.unit),
    ]
    for (column, text) in parts where !text.isEmpty { put(name: text, column.jsonName, &buffer) }
  }

  private func put(name: some NameBytes, _ key: String, _ buffer: inout ByteBuffer) {
    buffer.append(",\"\(key)\":\"")
    var cursor = buffer.cursor(room: NameText.longRoom)
    cursor.put(json: name)
    buffer.commit(cursor)
    buffer.append("\"")
  }

  private func put(number: UInt64?, _ key: String, _ buffer: inout ByteBuffer) {
    guard let number else { return }
    buffer.append(",\"\(key)\":\(number)")
  }

  private func put(wide number: UInt64, _ key: String, _ buffer: inout ByteBuffer) {
    buffer.append(",\"\(key)\":\"\(number)\"")
  }
}
