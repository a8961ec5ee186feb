import TCPStateCore

/// The columns of `stuck` for machines, in their order: those of `trace` where they
/// mean the same, and its own.
public enum StuckField: Hashable, Sendable {
  case shared(Column)
  case own(Own)

  /// What only `stuck` tells.
  public enum Own: String, CaseIterable, Sendable {
    case event, state, verdict, fd, holders
    case cgroupPath = "cgroup_path"
    case unsentBytes = "unsent_bytes"
    case timeouts
    case nextTimeout = "next_timeout_ns"
    case listenerPID = "listener_pid"
    case listenerName = "listener_name"
    case listenerAddress = "listener_address"
    case acceptQueue = "accept_queue"
    case acceptQueueLimit = "accept_queue_limit"
    case requestQueue = "request_queue"
  }
}

extension StuckField: NamedColumn {
  public static let allCases: [StuckField] = [
    .shared(.timestamp), .shared(.timestampUnixNano), .own(.event), .shared(.connectionID), .own(.state),
    .shared(.stateDuration), .shared(.durationKind), .own(.verdict), .shared(.processPID), .shared(.processName),
    .own(.fd), .own(.holders), .shared(.userID), .shared(.cgroupID), .own(.cgroupPath), .shared(.netns),
    .shared(.networkType), .shared(.localAddress), .shared(.localPort), .shared(.peerAddress), .shared(.peerPort),
    .shared(.unreadBytes), .own(.unsentBytes), .shared(.unacknowledgedBytes), .own(.timeouts), .own(.nextTimeout),
    .own(.listenerPID), .own(.listenerName), .own(.listenerAddress), .own(.acceptQueue), .own(.acceptQueueLimit),
    .own(.requestQueue),
  ]

  public static var defaults: [StuckField] { allCases }

  public var listName: String {
    switch self {
    case .shared(let column): column.csvName.description
    case .own(let field): field.rawValue
    }
  }

  /// The state has OpenTelemetry's name, as in `trace`.
  public var jsonName: String {
    switch self {
    case .shared(let column): column.jsonName
    case .own(.state): Column.stateNew.jsonName
    case .own(let field): "tcp.\(field.rawValue)"
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
