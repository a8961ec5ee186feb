// SPDX-License-Identifier: Apache-2.0

/// What stays are grouped by in addition to their state.
public enum SummaryKey: String, CaseIterable, Sendable {
  case process, peer, role, cgroup, container, pod, unit, port
  case localPort = "local-port"
  case remotePort = "remote-port"

  /// The row's value for this key. Only this method maps keys to fields.
  @inline(__always)
  public func value(of row: borrowing Transition) -> SummaryValue {
    switch self {
    case .process:
      // Until a process is seen with it, an open connection is nobody's.
      row.isOwnerPresumed ? .unknown : row.ownerName.isEmpty ? .unknown : .name(row.ownerName)
    case .peer: row.peer.address.isUnspecified ? .unknown : .address(row.peer.address)
    case .role: row.role == .unknown ? .unknown : .role(row.role)
    case .cgroup: row.cgroup.map { .number($0) } ?? .unknown
    case .container: .container(row.workload)
    case .pod: row.workload.podName.isEmpty ? .unknown : .pod(row.workload.podNamespace, row.workload.podName)
    case .unit: row.workload.unit.isEmpty ? .unknown : .text(row.workload.unit)
    case .port:
      // The service's: of the end that was opened passively. Which one that is isn't guessed from the numbers.
      switch row.role {
      case .server, .listener: row.local.port == 0 ? .unknown : .number(UInt64(row.local.port))
      case .client: row.peer.port == 0 ? .unknown : .number(UInt64(row.peer.port))
      case .unknown: .unknown
      }
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
  case text(InternedText)
  /// Its namespace and its name.
  case pod(InternedText, InternedText)

  /// By name, or by id if it has none that is known.
  static func container(_ workload: Workload) -> SummaryValue {
    if !workload.containerName.isEmpty { return .text(workload.containerName) }
    return workload.containerID.isEmpty ? .unknown : .text(workload.containerID)
  }

  /// A number that few other values share.
  @inline(__always)
  var mixed: UInt64 {
    switch self {
    case .unknown: 0
    case .name(let name): name.storage.0 ^ (name.storage.1 &* 3)
    case .address(let address): address.high ^ (address.low &* 3)
    case .number(let number): number
    case .role(let role): UInt64(role.rawValue)
    case .text(let text): text.mixed
    case .pod(let namespace, let name): namespace.mixed ^ (name.mixed &* 3)
    }
  }
}

/// The values of one group, one for each key.
public struct SummaryGroup: Hashable, Sendable {
  public var first = SummaryValue.unknown
  public var second = SummaryValue.unknown
  /// Whether it stands for all groups beyond the limit.
  public var isOther = false

  public init() {}

  /// A number whose upper half few other groups share.
  @inline(__always)
  var mixed: UInt64 {
    let both = first.mixed &+ second.mixed &* 0xff51_afd7_ed55_8ccd
    return (both ^ both >> 32) &* 0x9e37_79b9_7f4a_7c15
  }
}
