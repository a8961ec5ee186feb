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
    case .text(let text): text.description
    case .pod(let namespace, let name): namespace.isEmpty ? name.description : "\(namespace)/\(name)"
    }
  }

  /// For people; safe on a terminal.
  static func visible(_ value: SummaryValue, _ glyphs: Glyphs) -> String {
    switch value {
    case .unknown: glyphs.unknown.description
    case .name(let name): NameText.visibleString(name)
    case .text, .pod: WorkloadText.cutID(TerminalText.visible(machine(value)))
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
    case .container: "CONTAINER"
    case .pod: "POD"
    case .unit: "UNIT"
    case .localPort: "LOCAL PORT"
    case .remotePort: "REMOTE PORT"
    }
  }

  /// The columns whose values the key groups by.
  public var columns: [Column] {
    switch self {
    case .process: [.processName]
    case .peer: [.peerAddress]
    case .role: [.role]
    case .cgroup: [.cgroupID]
    case .container: [.containerName, .containerID]
    case .pod: [.podName, .podNamespace]
    case .unit: [.unit]
    case .localPort: [.localPort]
    case .remotePort: [.peerPort]
    }
  }

  /// The column that holds the group's value.
  var declaration: ColumnDeclaration {
    switch self {
    case .container:
      ColumnDeclaration("container", .text, "Container by its name, or by its id if its name isn't known.")
    case .pod: ColumnDeclaration("pod", .text, "Kubernetes pod, as `NAMESPACE/NAME`.")
    default: columns[0].declaration
    }
  }

  var isNumber: Bool { self == .cgroup || self == .localPort || self == .remotePort }
}
