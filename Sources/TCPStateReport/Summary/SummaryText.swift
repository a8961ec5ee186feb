// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// A summary's keys and their values as text.
enum SummaryText {
  /// For machines; empty when unknown.
  static func machine(_ value: SummaryValue) -> String {
    switch value {
    case .unknown: ""
    case .name(let name): name.description
    case .address(let address): AddressText.string(address)
    case .number(let number): String(number)
    case .role(let role): role.name.description
    }
  }

  /// For people; safe on a terminal.
  static func visible(_ value: SummaryValue, _ glyphs: Glyphs) -> String {
    switch value {
    case .unknown: glyphs.unknown.description
    case .name(let name): NameText.visibleString(name)
    default: machine(value)
    }
  }
}

extension SummaryKey {
  var title: String {
    switch self {
    case .process: "PROCESS"
    case .peer: "PEER"
    case .role: "ROLE"
    case .cgroup: "CGROUP"
    case .localPort: "LOCAL PORT"
    case .remotePort: "REMOTE PORT"
    }
  }

  /// The column whose values the key groups by.
  public var column: Column {
    switch self {
    case .process: .processName
    case .peer: .peerAddress
    case .role: .role
    case .cgroup: .cgroupID
    case .localPort: .localPort
    case .remotePort: .peerPort
    }
  }

  var isNumber: Bool { self == .cgroup || self == .localPort || self == .remotePort }
}
