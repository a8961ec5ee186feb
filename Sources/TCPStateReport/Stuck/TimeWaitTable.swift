// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// Sockets in TIME-WAIT, grouped by the ports they use up; the largest group comes first.
public struct TimeWaitTable: Sendable {
  private let groups: [TimeWaitGroup]
  private let style: StuckStyle

  public init(_ groups: [TimeWaitGroup], style: StuckStyle) {
    self.groups = groups
    self.style = style
  }

  public func append(to buffer: inout ByteBuffer, header: Bool = true) {
    let showsNamespace = groups.contains { $0.netns != style.ownNamespace }
    var columns: [(String, TextTable.Alignment)] = [
      (TCPState.timeWait.name(.rfc), .right), ("OLDEST", .right), ("PER S", .right),
    ]
    if showsNamespace { columns.append(("NETNS", .left)) }
    let showsMakers = groups.contains { !$0.makers.isEmpty }
    columns += [("LOCAL", .left), ("PEER", .left)]
    if showsMakers { columns.append(("PROCESS", .left)) }
    columns += [("PORTS USED", .right), ("SHARE", .right), ("FORECAST", .left)]
    var table = TextTable(columns)
    for group in groups {
      var cells = [
        NumberText.string(group.count), group.oldestText(style),
        group.perSecond.map { Self.decimal($0) } ?? style.table.glyphs.unknown.description,
      ]
      if showsNamespace { cells.append(style.namespace(group.netns)) }
      cells += [end(group.local), end(group.peer)]
      if showsMakers { cells.append(style.makers(group.makers)) }
      if let ports = group.ports {
        cells.append("\(NumberText.string(group.used)) of \(NumberText.string(ports))")
        cells.append(ports == 0 ? "" : "\(group.used * 100 / ports) %")
      } else {
        cells += [group.connected == true ? NumberText.string(group.used) : "", ""]
      }
      cells.append(forecast(group))
      table.add(cells, color: StateColor.of(.timeWait))
    }
    table.append(to: &buffer, header: header, color: style.table.color)
  }

  /// An end of the group's connections; its port is `*` where it differs between them.
  private func end(_ endpoint: Endpoint) -> String { style.endpoint(endpoint) }

  private static func decimal(_ number: Double) -> String {
    let tenths = UInt64((number * 10).rounded())
    return "\(NumberText.string(tenths / 10)).\(tenths % 10)"
  }

  private func forecast(_ group: TimeWaitGroup) -> String {
    switch group.forecast {
    case .exhausted(after: 0): "no port is left"
    case .exhausted(let after): "no port is left in \(style.duration(after)) at this rate"
    case .levelsOff(let level):
      (group.perSecond == 0 ? "falling" : "levels off at \(NumberText.string(level)) at this rate")
        + (group.reusedAfter.map { ", ports reused within \(style.duration($0))" } ?? "")
    case nil: group.connected == false ? "closed by this side; uses no ephemeral ports" : ""
    }
  }
}

extension TimeWaitGroup {
  /// The oldest one's age is known if the rate is: both come from the sockets' ages.
  fileprivate func oldestText(_ style: StuckStyle) -> String {
    perSecond == nil ? style.table.glyphs.unknown.description : style.duration(oldest)
  }
}
