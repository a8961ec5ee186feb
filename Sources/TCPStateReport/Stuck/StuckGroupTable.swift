// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// Stuck sockets summed up: whose they are, how many, and how old.
struct StuckGroupTable {
  private let groups: [StuckGroup]
  private let view: StuckView
  private let style: StuckStyle

  init(_ groups: [StuckGroup], view: StuckView, style: StuckStyle) {
    self.groups = groups
    self.view = view
    self.style = style
  }

  /// What a narrower terminal goes without, and how wide names are.
  private struct Layout {
    var showsContainer = true
    var showsVerdicts = true
    var showsPeers = true
    var name = Int.max
    var address = Int.max
  }

  private static let layouts: [Layout] = [
    Layout(), Layout(name: 40, address: 30), Layout(showsContainer: false, name: 40, address: 30),
    Layout(showsContainer: false, name: 24, address: 21),
    Layout(showsContainer: false, showsVerdicts: false, name: 24, address: 21),
    Layout(showsContainer: false, showsVerdicts: false, showsPeers: false, name: 20, address: 21),
    Layout(showsContainer: false, showsVerdicts: false, showsPeers: false, name: 16, address: 16),
  ]

  func append(to buffer: inout ByteBuffer, header: Bool) {
    let shown = groups.prefix(view.limit ?? .max)
    var table = table(shown, Self.layouts[0])
    if let width = style.table.width {
      for layout in Self.layouts where table.width(header: header) > width { table = self.table(shown, layout) }
    }
    table.append(to: &buffer, header: header, color: style.table.color)
    guard shown.count < groups.count else { return }
    let rest = groups.dropFirst(shown.count).reduce(0) { $0 + $1.count }
    buffer.append("and \(StuckStyle.count(rest, "socket")) of \(groups.count - shown.count) more; --all lists them\n")
  }

  private func table(_ shown: ArraySlice<StuckGroup>, _ layout: Layout) -> TextTable {
    let showsContainer = layout.showsContainer && view.grouping != .container && shown.contains { workload($0) != nil }
    let showsPeers = layout.showsPeers && view.grouping != .peer
    var columns: [(String, TextTable.Alignment)] = [(heading, .left), ("SOCKETS", .right)]
    if view.showsGrowth { columns.append(("NEW", .right)) }
    columns.append(("OLDEST", .right))
    if view.grouping != .process { columns.append(("PROCESS", .left)) }
    if showsPeers { columns.append(("PEER", .left)) }
    if layout.showsVerdicts { columns.append(("VERDICT", .left)) }
    if showsContainer { columns.append(("CONTAINER", .left)) }
    var table = TextTable(columns)
    for group in shown {
      var cells = [
        FittedText.cut(name(of: group), to: layout.name, style.table.glyphs), NumberText.string(UInt64(group.count)),
      ]
      if view.showsGrowth { cells.append(group.newer == 0 ? "0" : "+\(NumberText.string(UInt64(group.newer)))") }
      cells.append(group.oldest.map { style.age(of: $0) } ?? "")
      if view.grouping != .process {
        cells.append(FittedText.cut(processes(of: group), to: layout.name, style.table.glyphs))
      }
      if showsPeers { cells.append(peers(group, layout.address)) }
      if layout.showsVerdicts { cells.append(verdicts(group)) }
      if showsContainer { cells.append(workload(group) ?? "") }
      table.add(cells)
    }
    return table
  }

  private var heading: String { view.grouping.rawValue.uppercased() }

  private func name(of group: StuckGroup) -> String {
    switch group.key {
    case .processes, .maker: return processes(of: group)
    case .peer(let address): return AddressText.string(address)
    case .port(let port, let isLocal): return "\(isLocal ? "local" : "peer") :\(port)"
    case .workload, .cgroup: return workload(group) ?? unknown
    }
  }

  private func processes(of group: StuckGroup) -> String {
    group.processes.isEmpty ? unknown : style.group(group.processes)
  }

  private func peers(_ group: StuckGroup, _ width: Int) -> String {
    guard group.peers.count == 1, let only = group.peers.first else {
      return StuckStyle.count(group.peers.count, "address", "addresses")
    }
    return AddressText.string(only, fitting: width, glyphs: style.table.glyphs)
  }

  /// `held`, or `3 held, 2 unaccepted`.
  private func verdicts(_ group: StuckGroup) -> String {
    let sorted = group.verdicts.sorted {
      $0.value != $1.value ? $0.value > $1.value : $0.key.rawValue < $1.key.rawValue
    }
    guard sorted.count > 1 else { return sorted.first.map { StuckTable.words($0.key) } ?? "" }
    return sorted.map { "\(NumberText.string(UInt64($0.value))) \(StuckTable.words($0.key))" }.joined(separator: ", ")
  }

  /// The container or pod, else the unit, else the path of the cgroup.
  private func workload(_ group: StuckGroup) -> String? {
    if let oldest = group.oldest, let name = WorkloadText.short(oldest.workload, glyphs: style.table.glyphs) {
      return name
    }
    return cgroup(group)
  }

  private func cgroup(_ group: StuckGroup) -> String? {
    guard let path = group.oldest?.cgroup.flatMap({ style.cgroups[$0] }), path != "/" else { return nil }
    return TerminalText.visible(path)
  }

  private var unknown: String { style.table.glyphs.unknown.description }
}
