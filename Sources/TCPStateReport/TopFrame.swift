import TCPStateCore

/// One frame of `top` as text: exactly `height` lines of at most `width`
/// columns. Pure: the same board, view and size give the same bytes.
public struct TopFrame {
  private let board: TopBoard
  private let view: TopView
  private let width: Int
  private let height: Int
  private let style: TableStyle
  private let list: TopList

  /// - Parameter style: its width isn't used.
  public init(_ board: TopBoard, _ view: TopView, width: Int, height: Int, style: TableStyle) {
    self.board = board
    self.view = view
    self.width = max(width, 20)
    self.height = max(height, 4)
    self.style = style
    list = TopList(board, view)
  }

  /// Ids of the listed connections in their order: what `TopView.handle` needs.
  public var shown: [UInt64] { list.rows.map(\.facts.connection) }

  /// Lines of the list.
  public var count: Int { list.count }

  /// Lines of the list that fit.
  public var page: Int { max(1, height - header.count - 2) }

  /// The frame's lines, without line ends.
  public func lines() -> [String] {
    var lines = header
    switch view.screen {
    case .help: lines += Self.help
    case .detail(let id): lines += detail(id)
    case .list: lines += listLines
    }
    lines = Array(lines.prefix(height - 1))
    while lines.count < height - 1 { lines.append("") }
    lines.append(footer)
    return lines
  }

  // MARK: - Header and footer

  private var header: [String] {
    var clock = ByteBuffer(capacity: 64)
    var text = ClockText(utc: style.utc)
    text.append(board.time, precision: .milliseconds, to: &clock)
    let left = "\(TerminalText.visible(board.host))  \(board.kernel)  \(clock.text.prefix(8))"
    let rate = board.perSecond.last ?? 0
    let right =
      "\(NumberText.string(rate)) transitions/s \(Sparkline.text(board.perSecond, width: 12, glyphs: style.glyphs))"
      + "  lost \(NumberText.string(board.lost))"
    return [heading(spread(left, right))] + stateLines
  }

  /// Connections per state, as many side by side as fit.
  private var stateLines: [String] {
    let cell = 26
    let perLine = max(1, (width + 2) / cell)
    let states = TCPState.all.filter { $0 != .closed }
    var lines: [String] = []
    for start in stride(from: 0, to: states.count, by: perLine) {
      let cells = states[start..<min(start + perLine, states.count)].map { state in
        let history = board.counts[Int(state.number)]
        let name = fit(state.name(.rfc), 12)
        let count = fit(NumberText.string(history.last ?? 0), 6, right: true)
        let bars = fit(Sparkline.text(history, width: 4, glyphs: style.glyphs), 4)
        return paint(name, state) + count + " " + bars
      }
      lines.append(cells.joined(separator: "   "))
    }
    return lines
  }

  private var footer: String {
    if view.isTyping { return fit("/\(TerminalText.visible(view.filter))_", width) }
    let filter = view.filter.isEmpty ? "" : "  filter \(TerminalText.visible(view.filter))"
    let what = view.grouping == .none ? "sort \(view.order.rawValue)" : "by \(view.grouping.rawValue)"
    let left = "\(NumberText.string(UInt64(list.count))) \(what)\(filter)"
    return spread(left, "/ filter  g group  Enter detail  ? help  q quit")
  }

  // MARK: - List

  private var listLines: [String] {
    let room = page
    let selected = min(view.selected, max(0, list.count - 1))
    let first = max(0, min(selected - room / 2, list.count - room))
    if view.grouping != .none { return groupLines(first: first, selected: selected, room: room) }
    let columns = columns
    var lines = [heading(columns.map { fit($0.title, $0.width, right: $0.right) }.joined(separator: " "))]
    for index in first..<min(first + room, list.rows.count) {
      lines.append(line(list.rows[index], columns, isSelected: index == selected))
    }
    return lines
  }

  private enum Content {
    case age, state, owner, local, peer, sent, received, retransmits, lane
  }

  private struct Column {
    let content: Content
    let title: String
    let width: Int
    var right = false
  }

  /// A wide terminal shows more, and the lane takes what is left.
  private var columns: [Column] {
    var columns = [
      Column(content: .age, title: "AGE", width: 12, right: true),
      Column(content: .state, title: "STATE", width: 12),
      Column(content: .owner, title: "OWNER", width: width >= 120 ? 24 : 15),
    ]
    if width >= 120 { columns.append(Column(content: .local, title: "LOCAL", width: 22)) }
    columns.append(Column(content: .peer, title: "PEER", width: 22))
    if width >= 150 {
      columns += [
        Column(content: .sent, title: "SENT", width: 12, right: true),
        Column(content: .received, title: "RECEIVED", width: 12, right: true),
        Column(content: .retransmits, title: "RETR", width: 5, right: true),
      ]
    }
    let left = width - columns.reduce(0) { $0 + $1.width + 1 }
    if left >= 4 { columns.append(Column(content: .lane, title: "STATES", width: left)) }
    return columns
  }

  private func line(_ row: TopBoard.Row, _ columns: [Column], isSelected: Bool) -> String {
    let facts = row.facts
    let unknown = style.glyphs.unknown.description
    let cells = columns.map { column -> String in
      let text: String
      switch column.content {
      case .age: text = age(facts.stay)
      case .state: return isSelected ? fit(facts.new.name(.rfc), 12) : paint(fit(facts.new.name(.rfc), 12), facts.new)
      case .owner: text = OwnerText.string(name: facts.ownerName, pid: facts.ownerPID, glyphs: style.glyphs)
      case .local: text = EndpointText.string(facts.local, glyphs: style.glyphs)
      case .peer: text = EndpointText.string(facts.peer, glyphs: style.glyphs)
      case .sent: text = facts.bytesSent.map { ByteCountText.string($0) } ?? unknown
      case .received: text = facts.bytesReceived.map { ByteCountText.string($0) } ?? unknown
      case .retransmits: text = facts.retransmits.map { NumberText.string(UInt64($0)) } ?? unknown
      case .lane: return lane(row, column.width, color: style.color && !isSelected)
      }
      return fit(text, column.width, right: column.right)
    }
    let line = cells.joined(separator: " ")
    guard isSelected else { return line }
    // Reverse video; without colour a mark in the margin that ages never reach.
    return style.color ? "\u{1b}[7m\(line)\u{1b}[0m" : ">" + line.dropFirst()
  }

  private func lane(_ row: TopBoard.Row, _ width: Int, color: Bool) -> String {
    var buffer = ByteBuffer(capacity: 256)
    let now = TopStay(state: row.facts.new, nanoseconds: row.facts.stay?.nanoseconds ?? 0)
    TopLane.append(row.past + [now], width: width, color: color, to: &buffer)
    return buffer.text
  }

  private func groupLines(first: Int, selected: Int, room: Int) -> [String] {
    var lines = [
      heading(
        fit(view.grouping.rawValue.uppercased(), 30) + " " + fit("CONNECTIONS", 11, right: true) + " "
          + fit("OLDEST", 12, right: true) + "  STATES")
    ]
    for index in first..<min(first + room, list.groups.count) {
      let group = list.groups[index]
      let states = TCPState.all.filter { $0 != .closed && group.states[Int($0.number)] > 0 }
        .map { "\($0.name(.rfc)) \(group.states[Int($0.number)])" }.joined(separator: ", ")
      let line =
        fit(group.name, 30) + " " + fit(NumberText.string(UInt64(group.count)), 11, right: true) + " "
        + fit(age(group.oldest), 12, right: true) + "  " + fit(states, max(0, width - 57))
      lines.append(
        index == selected && style.color ? "\u{1b}[7m\(line)\u{1b}[0m" : line)
    }
    return lines
  }

  // MARK: - Detail and help

  private func detail(_ id: UInt64) -> [String] {
    guard let row = board.rows.first(where: { $0.facts.connection == id }) else {
      return ["", "This connection has ended. Esc returns to the list."]
    }
    let facts = row.facts
    let unknown = style.glyphs.unknown.description
    func number(_ value: UInt32?) -> String { value.map { "\($0)" } ?? unknown }
    func bytes(_ value: UInt64?) -> String { value.map { ByteCountText.string($0) } ?? unknown }
    let owner = OwnerText.string(name: facts.ownerName, pid: facts.ownerPID, glyphs: style.glyphs)
    var lines = [
      "",
      "\(facts.role.name) \(owner)  \(EndpointText.string(facts.local))  "
        + "\(style.glyphs.arrow)  \(EndpointText.string(facts.peer))",
      "",
    ]
    for stay in row.past {
      lines.append(
        "  " + paint(fit(stay.state.name(.rfc), 12), stay.state)
          + fit(DurationText.string(stay.nanoseconds, glyphs: style.glyphs), 14, right: true))
    }
    lines.append(
      "  " + paint(fit(facts.new.name(.rfc), 12), facts.new) + fit(age(facts.stay), 14, right: true) + "  now")
    lines += [
      "",
      "  sent \(bytes(facts.bytesSent)), received \(bytes(facts.bytesReceived)), "
        + "retransmits \(number(facts.retransmits)), rtt \(facts.rttMicroseconds.map { DurationText.string(UInt64($0) * 1000, glyphs: style.glyphs) } ?? unknown)",
      "  initial sequence numbers: send \(number(facts.initialSendSequence)), receive \(number(facts.initialReceiveSequence))",
      "  next: send \(number(facts.sendNext)), receive \(number(facts.receiveNext))",
      "  user \(number(facts.userID)), network namespace \(number(facts.netns))",
    ]
    return lines.map { $0.contains("\u{1b}") ? $0 : fit($0, width, pads: false) }
  }

  private static let help = [
    "",
    "  a s p e b r   sort by age, state, process, peer, bytes, retransmits",
    "  g             group by process, peer, port, or not",
    "  /             filter by what is typed; Enter keeps it, Esc drops it",
    "  arrows        choose; also PgUp, PgDn, Home, End",
    "  Enter         the connection chosen, in detail",
    "  ?             this help",
    "  q             quit",
    "",
    "  STATES, drawn to scale:",
    "  " + TopLane.letters.prefix(5).map { "\($0.1) \($0.0.name(.rfc))" }.joined(separator: "  "),
    "  " + TopLane.letters.dropFirst(5).map { "\($0.1) \($0.0.name(.rfc))" }.joined(separator: "  "),
  ]

  // MARK: - Text

  private func age(_ stay: Stay?) -> String {
    guard let stay else { return style.glyphs.unknown.description }
    return DurationText.string(stay.nanoseconds, kind: stay.kind, glyphs: style.glyphs)
  }

  private func paint(_ text: String, _ state: TCPState) -> String {
    style.color ? "\(StateColor.of(state))\(text)\(StateColor.reset)" : text
  }

  private func heading(_ text: String) -> String {
    style.color ? "\(StateColor.heading)\(text)\(StateColor.reset)" : text
  }

  /// What doesn't fit is cut, and seen to be cut.
  private func fit(_ text: String, _ columns: Int, right: Bool = false, pads: Bool = true) -> String {
    let length = DisplayWidth.of(text)
    if length <= columns {
      guard pads else { return text }
      let padding = String(repeating: " ", count: columns - length)
      return right ? padding + text : text + padding
    }
    let mark = style.glyphs.unknown.description == "-" ? "~" : "…"
    var result = ""
    for character in text {
      guard DisplayWidth.of(result + String(character)) < columns else { break }
      result.append(character)
    }
    let padding = String(repeating: " ", count: max(0, columns - DisplayWidth.of(result) - 1))
    return columns > 0 ? result + mark + padding : ""
  }

  private func spread(_ left: String, _ right: String) -> String {
    let room = width - DisplayWidth.of(right) - 2
    return room < 10 ? fit(left, width) : fit(left, room) + "  " + right
  }
}
