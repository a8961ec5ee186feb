// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// A column of the rows, in the order of `--columns all`.
///
/// A column is added here alone: its case at the end, and its declaration at the end of the table below.
public enum Column: Int, CaseIterable, Sendable {
  case timestamp, timestampUnixNano, sequence, connectionID, role
  case processPID, processName, userID, cgroupID, netns
  case networkType, localAddress, localPort, peerAddress, peerPort
  case stateOld, stateNew, stateDuration, durationKind, source
  case actorPID, actorName, reason
  case bytesSent, bytesReceived, rtt, retransmits

  case closer, initialSendSequence, initialReceiveSequence
  case sendUnacknowledged, sendNext, receiveNext, unreadBytes, unacknowledgedBytes
  case sendWindow, receiveWindow, congestionWindow, slowStartThreshold, congestionControl
  case rto, synAckRetransmits, segmentsSent, segmentsReceived, socketAddress, interfaceIndex, resetReason
  case unsentBytes, receiveShutdown
  case timestampKind, timestampError, finCall, ownerKind
  case containerID, containerName, podName, podNamespace, unit
}

/// A column with all that writers, the reader and the documentation need to know of it.
struct RowColumn: Sendable {
  let column: Column
  let declaration: ColumnDeclaration
  let field: StoredField

  /// - Parameters:
  ///   - name: the CSV name.
  ///   - field: where a transition stores it, which gives the type too.
  init(
    _ column: Column, _ name: String, json: String? = nil, _ field: StoredField, unit: ColumnUnit? = nil,
    clock: ColumnClock? = nil, _ meaning: String
  ) {
    self.column = column
    self.field = field
    declaration = ColumnDeclaration(name, json: json, field.type, unit: unit, clock: clock, meaning)
  }
}

extension RowColumn {
  /// By `Column.rawValue`.
  static let all = defaults + others

  /// Written unless `--columns` says otherwise. A row's own stamps keep their CSV names in JSON, and
  /// `network.connection.state` is the new state, which the connection is in when the row is written.
  static let defaults: [RowColumn] = [
    RowColumn(
      .timestamp, "timestamp", json: "timestamp", .time(\.time), clock: .realtime,
      "When the transition happened."),
    RowColumn(
      .timestampUnixNano, "timestamp_unix_nano", json: "timestamp_unix_nano", .unixNano(\.time), unit: .nanoseconds,
      clock: .realtime, "The same moment, counted from 1970-01-01T00:00:00Z."),
    RowColumn(
      .sequence, "sequence", json: "sequence", .ordinal(\.sequence),
      "1, 2, 3 … in the order the rows are written; a gap is a loss."),
    RowColumn(
      .connectionID, "connection_id", .identifier(\.connection),
      "The same from a connection's first row to its last, TIME-WAIT included, and unique while the machine is up."),
    RowColumn(
      .role, "role", .role(\.role),
      "Which end this socket is: a client opened the connection, a server is a listener's child."),
    RowColumn(
      .processPID, "process_pid", json: "process.pid", .integer(\.ownerPID),
      "Process that owns the socket, by thread group id."),
    RowColumn(
      .processName, "process_name", json: "process.executable.name", .name(\.ownerName),
      "Name of that process (`comm`)."),
    RowColumn(.userID, "user_id", json: "process.user.id", .integer(\.userID), "User of the socket (`sk_uid`)."),
    RowColumn(.cgroupID, "cgroup_id", .wideInteger(\.cgroup), "cgroup v2 of the socket, by id."),
    RowColumn(
      .netns, "netns", .integer(\.netns), "Network namespace of the socket, by the inode of `/proc/PID/ns/net`."),
    RowColumn(
      .networkType, "network_type", json: "network.type", .networkType,
      "Protocol of the packets: IPv4 also on an IPv6 socket with v4-mapped addresses."),
    RowColumn(
      .localAddress, "local_address", json: "network.local.address", .address(\.local.address),
      "Address of this end; `0.0.0.0` or `::` while it is bound to none."),
    RowColumn(
      .localPort, "local_port", json: "network.local.port", .port(\.local.port), "Port of this end."),
    RowColumn(
      .peerAddress, "peer_address", json: "network.peer.address", .knownAddress(\.peer.address),
      "Address of the other end."),
    RowColumn(.peerPort, "peer_port", json: "network.peer.port", .port(\.peer.port), "Port of the other end."),
    RowColumn(.stateOld, "state_old", .state(\.old), "State before the transition."),
    RowColumn(
      .stateNew, "state_new", json: "network.connection.state", .state(\.new), "State after the transition."),
    RowColumn(
      .stateDuration, "state_duration_ns", .stayLength(\.stay), unit: .nanoseconds, clock: .monotonic,
      "How long the socket was in the old state."),
    RowColumn(
      .durationKind, "duration_kind", .stayKind(\.stay),
      "How well that duration is known: `at_least` is a lower bound, because the beginning wasn't seen."),
    RowColumn(
      .source, "source", .source(\.source),
      "What the row rests on: a kernel event, a kernel table read later, or a conclusion from earlier rows."),
    RowColumn(
      .actorPID, "actor_pid", .integer(\.actorPID),
      "Process that held the socket's lock at the transition, by thread group id: its system call made the transition, or the kernel handled segments that had waited for the call to end. Unknown if the network made the transition while no process held the lock."
    ),
    RowColumn(.actorName, "actor_name", .name(\.actorName), "Name of that process (`comm`)."),
    RowColumn(
      .reason, "reason", .reason(\.reason), "Why the connection ended, on its rows to `closed` and `time_wait`."),
    RowColumn(
      .bytesSent, "bytes_sent", .wideInteger(\.bytesSent), unit: .bytes,
      "Payload sent so far, without retransmissions."),
    RowColumn(
      .bytesReceived, "bytes_received", .wideInteger(\.bytesReceived), unit: .bytes, "Payload received so far."),
    RowColumn(.rtt, "rtt_us", .integer(\.rttMicroseconds), unit: .microseconds, "Smoothed round-trip time."),
    RowColumn(
      .retransmits, "retransmits", .integer(\.retransmits), unit: .segments, "Segments retransmitted so far."),
  ]

  /// Added by `--columns all`.
  static let others: [RowColumn] = [
    RowColumn(
      .closer, "closer", .closer(\.closer),
      "Which end sent the first FIN: `active` is this end, `passive` the other, `both` if they crossed."),
    RowColumn(
      .initialSendSequence, "initial_send_sequence", .integer(\.initialSendSequence),
      "ISS, the sequence number of this end's SYN (RFC 9293, section 3.3.1), as all below modulo 2^32."),
    RowColumn(
      .initialReceiveSequence, "initial_receive_sequence", .integer(\.initialReceiveSequence),
      "IRS, the sequence number of the other end's SYN."),
    RowColumn(
      .sendUnacknowledged, "send_unacknowledged", .integer(\.sendUnacknowledged),
      "SND.UNA, the oldest sequence number sent that the other end has not acknowledged."),
    RowColumn(.sendNext, "send_next", .integer(\.sendNext), "SND.NXT, the next sequence number to send."),
    RowColumn(
      .receiveNext, "receive_next", .integer(\.receiveNext), "RCV.NXT, the next sequence number expected."),
    RowColumn(
      .unreadBytes, "unread_bytes", .integer(\.unreadBytes), unit: .bytes,
      "Payload received that the application has not read."),
    RowColumn(
      .unacknowledgedBytes, "unacknowledged_bytes", .integer(\.unacknowledgedBytes), unit: .bytes,
      "Payload sent that the other end has not acknowledged."),
    RowColumn(
      .sendWindow, "send_window_bytes", .integer(\.sendWindowBytes), unit: .bytes,
      "Window that the other end advertised."),
    RowColumn(
      .receiveWindow, "receive_window_bytes", .integer(\.receiveWindowBytes), unit: .bytes,
      "Window that this end advertised."),
    RowColumn(
      .congestionWindow, "congestion_window_packets", .integer(\.congestionWindowPackets), unit: .packets,
      "Congestion window."),
    RowColumn(
      .slowStartThreshold, "slow_start_threshold_packets", .integer(\.slowStartThresholdPackets), unit: .packets,
      "Slow start threshold; unknown while it has none."),
    RowColumn(
      .congestionControl, "congestion_control", .name(\.congestionControl),
      "Name of the congestion control, such as `cubic`."),
    RowColumn(
      .rto, "rto_us", .wideInteger(\.rtoMicroseconds), unit: .microseconds, "Retransmission timeout."),
    RowColumn(
      .synAckRetransmits, "syn_ack_retransmits", .integer(\.synAckRetransmits), unit: .segments,
      "SYN-ACKs that a server retransmitted during the handshake."),
    RowColumn(
      .segmentsSent, "segments_sent", .integer(\.segmentsSent), unit: .segments,
      "Segments sent so far, those without payload too."),
    RowColumn(
      .segmentsReceived, "segments_received", .integer(\.segmentsReceived), unit: .segments,
      "Segments received so far, those without payload too."),
    RowColumn(
      .socketAddress, "socket_address", .hexadecimal(\.socketAddress),
      "Kernel address of the `struct sock`; the kernel reuses it."),
    RowColumn(
      .interfaceIndex, "interface_index", .integer(\.interface),
      "Network interface that the socket is bound to, else the one it last received on, by index."),
    RowColumn(
      .resetReason, "reset_reason", .resetReason(\.resetReason),
      "Why this end sent the RST that ended the connection, as Linux 6.10 and newer give it (`enum sk_rst_reason`)."),
    RowColumn(
      .unsentBytes, "unsent_bytes", .integer(\.unsentBytes), unit: .bytes,
      "Payload that the application has written and that is not sent yet."),
    RowColumn(
      .receiveShutdown, "receive_shutdown", .integer(\.receiveShutdown),
      "1 if the receive direction is shut down, by the peer's FIN, close() or shutdown(); 0 on the row to fin_wait_1 means shutdown(SHUT_WR)."
    ),
    RowColumn(
      .timestampKind, "timestamp_kind", .timeKind(\.timeKind),
      "How the row's time relates to the transition: `exact`; `at_least`, it was then or later; `at_most`, then or earlier."
    ),
    RowColumn(
      .timestampError, "timestamp_error_ns", .wideInteger(\.timeErrorNanoseconds), unit: .nanoseconds,
      clock: .monotonic, "How far from the row's time the transition was at most, if that is a bound."),
    RowColumn(
      .finCall, "fin_call", .finCall(\.finCall),
      "Call that sent this end's FIN; for close() and shutdown(SHUT_RDWR) known from the next row on."),
    RowColumn(
      .ownerKind, "owner_kind", .ownerKind(\.ownerKind),
      "How the owner is known: it holds the socket, has read from it, or has opened it; `inherited` is the listener's owner, before any process was seen with the connection."
    ),
    RowColumn(
      .containerID, "container_id", json: "container.id", .interned(\.workload.containerID),
      "Container that the socket belongs to, by the id of its runtime, in full."),
    RowColumn(
      .containerName, "container_name", json: "container.name", .interned(\.workload.containerName),
      "Name of that container, in a Kubernetes pod the one in the pod's specification."),
    RowColumn(
      .podName, "pod_name", json: "k8s.pod.name", .interned(\.workload.podName),
      "Kubernetes pod that the socket belongs to."),
    RowColumn(
      .podNamespace, "pod_namespace", json: "k8s.namespace.name", .interned(\.workload.podNamespace),
      "Kubernetes namespace of that pod."),
    RowColumn(
      .unit, "unit", json: "systemd.unit", .interned(\.workload.unit),
      "Unit of systemd that the socket belongs to, the innermost one, such as `nginx.service`; never a container's scope."
    ),
  ]
}
