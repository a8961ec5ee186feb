/// What stays are grouped by, besides their state.
public enum SummaryKey: String, CaseIterable, Sendable {
  case process, peer, role, cgroup
  case localPort = "local-port"
  case remotePort = "remote-port"

  /// The row's value; the one place that says which field a key is.
  @inline(__always)
  public func value(of row: borrowing Transition) -> SummaryValue {
    switch self {
    case .process: row.ownerName.isEmpty ? .unknown : .name(row.ownerName)
    case .peer: row.peer.address.isUnspecified ? .unknown : .address(row.peer.address)
    case .role: row.role == .unknown ? .unknown : .role(row.role)
    case .cgroup: row.cgroup.map { .number($0) } ?? .unknown
    case .localPort: row.local.port == 0 ? .unknown : .number(UInt64(row.local.port))
    case .remotePort: row.peer.port == 0 ? .unknown : .number(UInt64(row.peer.port))
    }
  }
}

/// One value of a key.
public enum SummaryValue: Hashable, Sendable {
  case unknown
  case name(ShortName)
  case address(IPAddress)
  case number(UInt64)
  case role(Role)
}

/// The values of one group, as many as there are keys.
public struct SummaryGroup: Hashable, Sendable {
  public var first = SummaryValue.unknown
  public var second = SummaryValue.unknown
  /// The group of all that came when there were too many others.
  public var isOther = false

  public init() {}
}
