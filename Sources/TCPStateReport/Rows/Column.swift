/// A column of the machine formats, in the order of `--columns all`.
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

  /// What is written unless `--columns` says otherwise: everything up to `retransmits`.
  public static let defaults = Array(allCases.prefix(defaultCount))

  static let defaultCount = Column.retransmits.rawValue + 1

  /// The name in CSV headers and in `--columns`: lower snake_case.
  public var csvName: StaticString {
    switch self {
    case .timestamp: "timestamp"
    case .timestampUnixNano: "timestamp_unix_nano"
    case .sequence: "sequence"
    case .connectionID: "connection_id"
    case .role: "role"
    case .processPID: "process_pid"
    case .processName: "process_name"
    case .userID: "user_id"
    case .cgroupID: "cgroup_id"
    case .netns: "netns"
    case .networkType: "network_type"
    case .localAddress: "local_address"
    case .localPort: "local_port"
    case .peerAddress: "peer_address"
    case .peerPort: "peer_port"
    case .stateOld: "state_old"
    case .stateNew: "state_new"
    case .stateDuration: "state_duration_ns"
    case .durationKind: "duration_kind"
    case .source: "source"
    case .actorPID: "actor_pid"
    case .actorName: "actor_name"
    case .reason: "reason"
    case .bytesSent: "bytes_sent"
    case .bytesReceived: "bytes_received"
    case .rtt: "rtt_us"
    case .retransmits: "retransmits"
    case .closer: "closer"
    case .initialSendSequence: "initial_send_sequence"
    case .initialReceiveSequence: "initial_receive_sequence"
    case .sendUnacknowledged: "send_unacknowledged"
    case .sendNext: "send_next"
    case .receiveNext: "receive_next"
    case .unreadBytes: "unread_bytes"
    case .unacknowledgedBytes: "unacknowledged_bytes"
    case .sendWindow: "send_window_bytes"
    case .receiveWindow: "receive_window_bytes"
    case .congestionWindow: "congestion_window_packets"
    case .slowStartThreshold: "slow_start_threshold_packets"
    case .congestionControl: "congestion_control"
    case .rto: "rto_us"
    case .synAckRetransmits: "syn_ack_retransmits"
    case .segmentsSent: "segments_sent"
    case .segmentsReceived: "segments_received"
    case .socketAddress: "socket_address"
    case .interfaceIndex: "interface_index"
    case .resetReason: "reset_reason"
    }
  }

  /// The name in JSON Lines.
  ///
  /// OpenTelemetry's where one exists (semantic conventions, `network.*` and
  /// `process.*`); `network.connection.state` is the new state, the one that the
  /// connection is in when the row is written. The row's own stamps keep their
  /// CSV names, and everything else is the CSV name in the namespace `tcp`.
  public var jsonName: String {
    switch self {
    case .timestamp, .timestampUnixNano, .sequence: csvName.description
    case .processPID: "process.pid"
    case .processName: "process.executable.name"
    case .userID: "process.user.id"
    case .networkType: "network.type"
    case .localAddress: "network.local.address"
    case .localPort: "network.local.port"
    case .peerAddress: "network.peer.address"
    case .peerPort: "network.peer.port"
    case .stateNew: "network.connection.state"
    default: "tcp.\(csvName)"
    }
  }

  /// The column of a CSV name; `nil` if there is none.
  public init?(csvName: some StringProtocol) {
    guard let column = Self.byCSVName[String(csvName)] else { return nil }
    self = column
  }

  /// The column of a JSON name; `nil` if there is none.
  public init?(jsonName: some StringProtocol) {
    guard let column = Self.byJSONName[String(jsonName)] else { return nil }
    self = column
  }

  private static let byCSVName = Dictionary(
    uniqueKeysWithValues: allCases.map { ($0.csvName.description, $0) })
  private static let byJSONName = Dictionary(
    uniqueKeysWithValues: allCases.map { ($0.jsonName, $0) })
}

extension Column: NamedColumn {
  public var listName: String { csvName.description }
}
