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

  /// A group's values, one for each key; `nil` stands for all groups that have no lines of their own.
  static func group(_ group: SummaryGroup?, of lines: SummaryLines, _ glyphs: Glyphs) -> [String] {
    guard let group else {
      guard !lines.keys.isEmpty else { return [] }
      let name =
        lines.others == 0
        ? "others" : "\(NumberText.string(UInt64(lines.others))) \(lines.others == 1 ? "other" : "others")"
      return [name] + lines.keys.dropFirst().map { _ in "" }
    }
    return zip(lines.keys, [group.first, group.second]).map { visible($1, glyphs) }
  }

  /// The same as a line of its own: `PROCESS nginx  REMOTE PORT 443`.
  static func title(_ group: SummaryGroup?, of lines: SummaryLines, _ glyphs: Glyphs) -> String {
    let values = self.group(group, of: lines, glyphs)
    guard group != nil else { return values.first ?? "" }
    return zip(lines.keys, values).map { "\($0.title) \($1)" }.joined(separator: "  ")
  }

  /// `94.1 %`; something is never 0.
  static func share(_ count: UInt64, of all: UInt64) -> String {
    let tenths = UInt64((Double(count) * 1000 / Double(all)).rounded())
    return count > 0 && tenths == 0 ? "< 0.1 %" : "\(tenths / 10).\(tenths % 10) %"
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
    case .port: "PORT"
    case .localPort: "LOCAL PORT"
    case .remotePort: "REMOTE PORT"
    }
  }

  /// The columns of a row from which the key is known.
  public var columns: [Column] {
    switch self {
    case .process: [.processName]
    case .peer: [.peerAddress]
    case .role: [.role]
    case .cgroup: [.cgroupID]
    case .container: [.containerName, .containerID]
    case .pod: [.podName, .podNamespace]
    case .unit: [.unit]
    case .port: [.role, .localPort, .peerPort]
    case .localPort: [.localPort]
    case .remotePort: [.peerPort]
    }
  }

  /// What a recording must have: one column of each.
  public var needs: [[Column]] {
    self == .port ? columns.map { [$0] } : [columns]
  }

  /// The column that holds the group's value.
  public var declaration: ColumnDeclaration {
    switch self {
    case .container:
      ColumnDeclaration("container", .text, "Container by its name, or by its id if its name isn't known.")
    case .pod: ColumnDeclaration("pod", .text, "Kubernetes pod, as `NAMESPACE/NAME`.")
    case .port:
      ColumnDeclaration(
        "server_port", json: "server.port", .port,
        "Port of the service: the local one of a server or listener, the peer's of a client.")
    default: columns[0].declaration
    }
  }

  var isNumber: Bool { self == .cgroup || isPort }
  var isPort: Bool { self == .port || self == .localPort || self == .remotePort }
}
