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

  /// What a narrower terminal goes without.
  private struct Layout {
    var end = Int.max
    var showsOldest = true
    var showsRate = true
    var showsShare = true
    var showsNamespace = true
    var process = Int.max
    /// Whether the forecast has a column, rather than standing behind or below its row.
    var showsForecast = false
  }

  private static let layouts: [Layout] = [
    Layout(showsForecast: true), Layout(end: 30, process: 30, showsForecast: true), Layout(end: 30, process: 30),
    Layout(end: 24, showsShare: false, process: 20),
    Layout(end: 24, showsOldest: false, showsShare: false, process: 20),
    Layout(end: 21, showsOldest: false, showsRate: false, showsShare: false, process: 13),
    Layout(end: 17, showsOldest: false, showsRate: false, showsShare: false, showsNamespace: false, process: 13),
    Layout(end: 17, showsOldest: false, showsRate: false, showsShare: false, showsNamespace: false, process: 0),
  ]

  public func append(to buffer: inout ByteBuffer, header: Bool = true) {
    var table = table(Self.layouts[0])
    if let width = style.table.width {
      for layout in Self.layouts where table.width(header: header) > width { table = self.table(layout) }
    }
    table.append(to: &buffer, header: header, color: style.table.color)
  }

  private func table(_ layout: Layout) -> TextTable {
    let showsNamespace = layout.showsNamespace && groups.contains { $0.netns != style.ownNamespace }
    let showsMakers = layout.process > 0 && groups.contains { !$0.makers.isEmpty }
    var columns: [(String, TextTable.Alignment)] = [(TCPState.timeWait.name(.rfc), .right)]
    if layout.showsOldest { columns.append(("OLDEST", .right)) }
    if layout.showsRate { columns.append(("PER S", .right)) }
    if showsNamespace { columns.append(("NETNS", .left)) }
    columns += [("LOCAL", .left), ("PEER", .left)]
    if showsMakers { columns.append(("PROCESS", .left)) }
    columns.append(("PORTS USED", .right))
    if layout.showsShare { columns.append(("SHARE", .right)) }
    if layout.showsForecast { columns.append(("FORECAST", .left)) }
    var table = TextTable(columns)
    for group in groups {
      var cells = [NumberText.string(group.count)]
      if layout.showsOldest { cells.append(group.oldestText(style)) }
      if layout.showsRate {
        cells.append(group.perSecond.map { Self.decimal($0) } ?? style.table.glyphs.unknown.description)
      }
      if showsNamespace { cells.append(style.namespace(group.netns)) }
      cells += [end(group.local, layout), end(group.peer, layout)]
      if showsMakers {
        cells.append(FittedText.cut(style.makers(group.makers), to: layout.process, style.table.glyphs))
      }
      if let ports = group.ports {
        cells.append("\(NumberText.string(group.used)) of \(NumberText.string(ports))")
        if layout.showsShare { cells.append(ports == 0 ? "" : "\(group.used * 100 / ports) %") }
      } else {
        cells.append(group.connected == true ? NumberText.string(group.used) : "")
        if layout.showsShare { cells.append("") }
      }
      if layout.showsForecast { cells.append(forecast(group)) }
      table.add(cells)
    }
    if !layout.showsForecast { table.addDetails(groups.map { forecast($0) }, terminal: style.table.width) }
    return table
  }

  /// An end of the group's connections; its port is `*` where it differs between them.
  private func end(_ endpoint: Endpoint, _ layout: Layout) -> String {
    EndpointText.string(endpoint, fitting: layout.end, glyphs: style.table.glyphs)
  }

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
