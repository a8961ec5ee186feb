import TCPStateCore

/// The columns of `stuck` for machines, in their order.
public enum StuckField: String, CaseIterable, Sendable {
  case timestamp
  case timestampUnixNano = "timestamp_unix_nano"
  case event
  case connectionID = "connection_id"
  case state
  case stateDuration = "state_duration_ns"
  case durationKind = "duration_kind"
  case verdict
  case processPID = "process_pid"
  case processName = "process_name"
  case fd
  case holders
  case userID = "user_id"
  case cgroupID = "cgroup_id"
  case cgroupPath = "cgroup_path"
  case netns
  case networkType = "network_type"
  case localAddress = "local_address"
  case localPort = "local_port"
  case peerAddress = "peer_address"
  case peerPort = "peer_port"
  case unreadBytes = "unread_bytes"
  case unsentBytes = "unsent_bytes"
  case unacknowledgedBytes = "unacknowledged_bytes"
  case timeouts
  case nextTimeout = "next_timeout_ns"
  case listenerPID = "listener_pid"
  case listenerName = "listener_name"
  case listenerAddress = "listener_address"
  case acceptQueue = "accept_queue"
  case acceptQueueLimit = "accept_queue_limit"
  case requestQueue = "request_queue"

  /// OpenTelemetry's name where it has one.
  var jsonName: String {
    switch self {
    case .state: "network.connection.state"
    case .processPID: "process.pid"
    case .processName: "process.executable.name"
    case .userID: "process.user.id"
    case .networkType: "network.type"
    case .localAddress: "network.local.address"
    case .localPort: "network.local.port"
    case .peerAddress: "network.peer.address"
    case .peerPort: "network.peer.port"
    case .timestamp: "timestamp"
    case .timestampUnixNano: "timestamp_unix_nano"
    default: "tcp.\(rawValue)"
    }
  }
}

/// Why a socket is told of.
public enum StuckEvent: String, Sendable {
  /// One look has found it.
  case found
  /// It has just been in its state for too long.
  case crossed
  /// It has left the state after all; its duration is the whole stay.
  case ended
}

/// What one field says of one socket.
enum StuckValue {
  case unknown
  case number(UInt64)
  /// 64 bits, a string in JSON.
  case wide(UInt64)
  /// Text of ours that needs no quoting.
  case word(String)
  /// Foreign text.
  case text(String)
  /// `name/pid:fd`, separated by spaces; objects in JSON.
  case holders([SocketHolder])

  init(_ number: UInt32?) { self = number.map { .number(UInt64($0)) } ?? .unknown }
  init(wide number: UInt64?) { self = number.map { .wide($0) } ?? .unknown }
}

/// Looks fields up.
struct StuckValues {
  /// When the reading was made, nanoseconds since the epoch.
  let time: UInt64
  let cgroups: [UInt64: String]
  var event = StuckEvent.found

  func value(_ field: StuckField, of socket: StuckSocket) -> StuckValue {
    switch field {
    case .timestamp: .word(TimeText.string(rfc3339: time))
    case .timestampUnixNano: .wide(time)
    case .event: .word(event.rawValue)
    case .connectionID: .word(Self.hex16(socket.connection))
    case .state: .word(socket.state.name(.openTelemetry))
    case .stateDuration: StuckValue(wide: socket.age?.nanoseconds)
    case .durationKind: socket.age.map { .word($0.kind.name.description) } ?? .unknown
    case .verdict: .word(socket.verdict.name.description)
    case .processPID: StuckValue(socket.holders.first?.pid)
    case .processName: name(socket.holders.first)
    case .fd: StuckValue(socket.holders.first?.descriptor)
    case .holders: socket.holders.isEmpty ? .unknown : .holders(socket.holders)
    case .userID: StuckValue(socket.userID)
    case .cgroupID: StuckValue(wide: socket.cgroup)
    case .cgroupPath: socket.cgroup.flatMap { cgroups[$0] }.map { .text($0) } ?? .unknown
    case .netns: .number(UInt64(socket.netns))
    default: endValue(field, of: socket)
    }
  }

  private func endValue(_ field: StuckField, of socket: StuckSocket) -> StuckValue {
    switch field {
    case .networkType: .word(socket.local.address.isIPv4 || socket.peer.address.isIPv4 ? "ipv4" : "ipv6")
    case .localAddress: .word(AddressText.string(socket.local.address))
    case .localPort: port(socket.local)
    case .peerAddress: socket.peer.port == 0 ? .unknown : .word(AddressText.string(socket.peer.address))
    case .peerPort: port(socket.peer)
    case .unreadBytes: StuckValue(wide: socket.unreadBytes)
    case .unsentBytes: StuckValue(wide: socket.unsentBytes)
    case .unacknowledgedBytes: StuckValue(wide: socket.unacknowledgedBytes)
    case .timeouts: .number(UInt64(socket.timeouts))
    case .nextTimeout: StuckValue(wide: socket.nextTimeout)
    default: listenerValue(field, socket.listeners.first, socket)
    }
  }

  private func listenerValue(
    _ field: StuckField, _ listener: StuckListener?, _ socket: StuckSocket
  ) -> StuckValue {
    guard let listener else { return .unknown }
    return switch field {
    case .listenerPID: StuckValue(listener.holders.first?.pid)
    case .listenerName: name(listener.holders.first)
    case .listenerAddress: .word(EndpointText.string(listener.local))
    case .acceptQueue: StuckValue(listener.acceptQueue)
    case .acceptQueueLimit: StuckValue(listener.acceptQueueLimit)
    case .requestQueue: StuckValue(listener.requestQueue)
    default: .unknown
    }
  }

  private func name(_ holder: SocketHolder?) -> StuckValue {
    guard let holder, !holder.name.isEmpty else { return .unknown }
    return .text(holder.name.description)
  }

  private func port(_ endpoint: Endpoint) -> StuckValue {
    endpoint.port == 0 ? .unknown : .number(UInt64(endpoint.port))
  }

  private static func hex16(_ number: UInt64) -> String {
    var buffer = ByteBuffer(capacity: 64)
    buffer.append(hex16: number)
    return buffer.text
  }
}
