// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// Stuck sockets, a row each, the oldest first.
struct StuckSocketTable {
  private let sockets: ArraySlice<StuckSocket>
  private let style: StuckStyle
  private let detail: (StuckSocket) -> String

  /// - Parameter detail: what follows the verdict.
  init(_ sockets: ArraySlice<StuckSocket>, style: StuckStyle, detail: @escaping (StuckSocket) -> String) {
    self.sockets = sockets
    self.style = style
    self.detail = detail
  }

  /// What a narrower terminal goes without. Nothing is lost: what has no column is in `--format csv`.
  private struct Layout {
    var owner = Int.max
    /// Of addresses with their ports.
    var end = Int.max
    var showsLocalAddress = true
    var showsUnsent = true
    var showsUnread = true
    var showsNamespace = true
    var showsDescriptor = true
    var showsPort = true
    /// Whether the verdict has a column, rather than the line below.
    var showsVerdict = true
    var hasShortAges = false

    /// Whether it lacks at most addresses in full and bytes that wait.
    var hasEssentials: Bool { showsNamespace && showsDescriptor && showsPort && showsVerdict && owner >= 16 }
  }

  private struct Table {
    let layout: Layout
    var rows: TextTable
    /// What follows each row.
    var details: [String]

    /// - Parameter withDetails: whether those that are short must stand in their rows.
    func fits(_ width: Int, header: Bool, withDetails: Bool) -> Bool {
      let own = rows.width(header: header)
      let detail = withDetails ? details.map { DisplayWidth.of($0) }.filter { $0 <= 20 }.max() ?? 0 : 0
      return own + (detail > 0 ? 2 + detail : 0) <= width
    }
  }

  /// From wide to narrow.
  private static let layouts: [Layout] = {
    var layouts = [Layout(), Layout(owner: 30, end: 38), Layout(owner: 23, end: 30), Layout(owner: 23, end: 24)]
    var layout = Layout(owner: 23, showsLocalAddress: false)
    func narrow(_ change: (inout Layout) -> Void) {
      change(&layout)
      layouts.append(layout)
    }
    for end in [Int.max, 30] { narrow { $0.end = end } }
    narrow { $0.showsUnsent = false }
    narrow { $0.hasShortAges = true }
    narrow { $0.end = 24 }
    narrow { $0.showsUnread = false }
    narrow { ($0.owner, $0.end) = (16, 21) }
    narrow { $0.showsNamespace = false }
    narrow { $0.showsDescriptor = false }
    narrow { $0.owner = 12 }
    narrow { $0.showsPort = false }
    narrow { $0.showsVerdict = false }
    narrow { $0.owner = 9 }
    return layouts
  }()

  func append(to buffer: inout ByteBuffer, header: Bool) {
    var table = table(Self.layouts[0])
    if let width = style.table.width {
      let tables = Self.layouts.lazy.map { self.table($0) }
      // Bytes that wait say less than what a socket waits for.
      table =
        tables.prefix { $0.layout.hasEssentials }.first { $0.fits(width, header: header, withDetails: true) }
        ?? tables.first { $0.fits(width, header: header, withDetails: false) }
        ?? self.table(Self.layouts.last ?? Layout())
    }
    table.rows.addDetails(table.details, terminal: style.table.width)
    table.rows.append(to: &buffer, header: header, color: style.table.color)
  }

  private func table(_ layout: Layout) -> Table {
    let showsState = sockets.contains { $0.state != sockets[sockets.startIndex].state }
    let showsNamespace = layout.showsNamespace && sockets.contains { $0.netns != style.ownNamespace }
    var columns: [(String, TextTable.Alignment)] = [("AGE", .right)]
    if showsState { columns.append(("STATE", .left)) }
    columns.append(("OWNER", .left))
    if layout.showsDescriptor { columns.append(("FD", .right)) }
    if showsNamespace { columns.append(("NETNS", .left)) }
    if layout.showsLocalAddress {
      columns.append(("LOCAL", .left))
    } else if layout.showsPort {
      columns.append(("PORT", .right))
    }
    columns.append(("PEER", .left))
    if layout.showsUnread { columns.append(("UNREAD", .right)) }
    if layout.showsUnsent { columns.append(("UNSENT", .right)) }
    if layout.showsVerdict { columns.append(("VERDICT", .left)) }
    var table = TextTable(columns)
    var details: [String] = []
    for socket in sockets {
      var cells = [layout.hasShortAges ? style.shortAge(of: socket) : style.age(of: socket)]
      if showsState { cells.append(socket.state.name(.rfc)) }
      cells.append(owner(of: socket, layout.owner))
      if layout.showsDescriptor { cells.append(StuckTable.descriptors(of: socket, glyphs: style.table.glyphs)) }
      if showsNamespace { cells.append(style.namespace(socket.netns)) }
      if layout.showsLocalAddress {
        cells.append(EndpointText.string(socket.local, fitting: layout.end, glyphs: style.table.glyphs))
      } else if layout.showsPort {
        cells.append(":\(socket.local.port)")
      }
      cells.append(EndpointText.string(socket.peer, fitting: layout.end, glyphs: style.table.glyphs))
      if layout.showsUnread { cells.append(style.bytes(socket.unreadBytes)) }
      if layout.showsUnsent { cells.append(style.bytes(socket.unsentBytes)) }
      if layout.showsVerdict { cells.append(StuckTable.words(socket.verdict)) }
      let words = [layout.showsVerdict ? "" : StuckTable.words(socket.verdict), detail(socket)]
      details.append(words.filter { !$0.isEmpty }.joined(separator: ", "))
      table.add(cells, color: socket.age.flatMap { StateColor.of(socket.state, lasting: $0.nanoseconds) })
    }
    return Table(layout: layout, rows: table, details: details)
  }

  private func owner(of socket: StuckSocket, _ width: Int) -> String {
    guard let owner = socket.owner else { return style.table.glyphs.unknown.description }
    return OwnerText.string(
      name: owner.name, pid: owner.pid, kind: owner.kind, fitting: width, glyphs: style.table.glyphs)
  }
}
