// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// One frame of `top` as text: exactly `height` lines of at most `width`
/// columns. Pure: the same board, view, size and style give the same bytes.
public struct TopFrame {
  private let board: TopBoard
  private let view: TopView
  private let width: Int
  private let height: Int
  private let text: TopText
  private let list: TopList

  /// - Parameter style: its width is ignored.
  public init(_ board: TopBoard, _ view: TopView, width: Int, height: Int, style: TableStyle) {
    self.board = board
    self.view = view
    self.width = max(width, 20)
    self.height = max(height, 4)
    text = TopText(width: self.width, style: style)
    list = TopList(board, view)
  }

  /// From this width on the list has columns of counters.
  public static let countersWidth = 150

  /// What the listed lines stand for, in their order; `TopView.handle` needs it.
  public var listed: [TopView.Line] { list.lines }

  /// The number of list lines that fit.
  public var page: Int { max(1, height - header.count - 2) }

  /// The frame's lines, without line feeds.
  public func lines() -> [String] {
    var lines = header
    switch view.screen {
    case .help: lines += TopHelp.lines(isRecording: board.recording != nil, notes: board.notes, text: text)
    case .detail(let id): lines += TopDetailText(board: board, text: text).lines(id)
    case .list: lines += listLines
    }
    lines = Array(lines.prefix(height - 1))
    while lines.count < height - 1 { lines.append("") }
    lines.append(footer)
    return lines
  }

  // MARK: - Header and footer

  private var header: [String] {
    let rate = board.perSecond.last ?? 0
    let right =
      "\(NumberText.string(rate)) transitions/s \(Sparkline.text(board.perSecond, width: 12, glyphs: text.style.glyphs))"
      + "  lost \(NumberText.string(board.lost))"
    return [text.heading(text.spread(place, right))] + stateLines + noteLines
  }

  /// The first note. The help has all of them in full.
  private var noteLines: [String] {
    guard let first = board.notes.first, view.screen != .help else { return [] }
    let more = board.notes.count > 1 ? "? shows all \(board.notes.count)" : "? shows all"
    guard board.notes.count > 1 || DisplayWidth.of(first) > width else { return [text.faint(first)] }
    return [text.faint(text.spread(first, more))]
  }

  /// The machine and the time, or the recording and the position in it.
  private var place: String {
    let host = TerminalText.visible(board.host)
    guard let recording = board.recording else { return "\(host)  \(board.kernel)  \(text.clock(board.time))" }
    let since = text.duration(board.time - min(recording.start, board.time))
    let whole = text.duration(recording.end - recording.start)
    return "\(text.clock(board.time, fraction: true)) +\(since) of \(whole)  \(host)"
  }

  /// Connections per state, as many to a line as fit.
  private var stateLines: [String] {
    let cell = 26
    let perLine = max(1, (width + 2) / cell)
    let states = TCPState.all.filter { $0 != .closed }
    var lines: [String] = []
    for start in stride(from: 0, to: states.count, by: perLine) {
      let cells = states[start..<min(start + perLine, states.count)].map { state in
        let history = board.counts[Int(state.number)]
        let name = text.fit(state.name(.rfc), 12)
        let count = text.fit(NumberText.string(history.last ?? 0), 6, right: true)
        let bars = text.fit(Sparkline.text(history, width: 4, glyphs: text.style.glyphs), 4)
        return text.paint(name, state) + count + " " + bars
      }
      lines.append(cells.joined(separator: "   "))
    }
    return lines
  }

  private var footer: String {
    if view.isTyping { return text.fit("/\(TerminalText.visible(view.filter))_", width) }
    let count = NumberText.string(UInt64(list.count))
    let filter = view.filter.isEmpty ? "" : "  filter \(TerminalText.visible(view.filter))"
    let what =
      view.showsGroups
      ? "by \(view.grouping.rawValue)"
      : (view.group.map { "of \($0) " } ?? "") + "sort \(view.order.rawValue)"
    guard let recording = board.recording else {
      return text.spread("\(count) \(what)\(filter)", "/ filter  g group  Enter detail  ? help  q quit")
    }
    let step = text.duration(recording.step)
    return text.spread(
      "\(count) \(what)\(filter)", "left right \(step)  Space \(recording.isPlaying ? "stop" : "play")  ? help  q quit")
  }

  // MARK: - List

  private var listLines: [String] {
    let room = page
    let selected = min(view.selected, max(0, list.count - 1))
    let first = max(0, min(selected - room / 2, list.count - room))
    if view.showsGroups { return groupLines(first: first, selected: selected, room: room) }
    let columns = columns
    let titles = columns.map { text.fit($0.title, $0.width, right: $0.right) }.joined(separator: " ")
    var lines = [text.heading(" " + titles)]
    for index in first..<min(first + room, list.count) {
      lines.append(line(list[index], columns, isSelected: index == selected))
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

  /// A wide terminal shows more columns. The lane takes the remaining width.
  private var columns: [Column] {
    var columns = [
      Column(content: .age, title: "AGE", width: 12, right: true),
      Column(content: .state, title: "STATE", width: 12),
      Column(content: .owner, title: "OWNER", width: width >= 120 ? 24 : 15),
    ]
    if width >= 120 { columns.append(Column(content: .local, title: "LOCAL", width: 22)) }
    columns.append(Column(content: .peer, title: "PEER", width: 22))
    if width >= Self.countersWidth {
      columns += [
        Column(content: .sent, title: "SENT", width: 12, right: true),
        Column(content: .received, title: "RECEIVED", width: 12, right: true),
        Column(content: .retransmits, title: "RETR", width: 5, right: true),
      ]
    }
    while columns.count > 1, columns.reduce(0, { $0 + $1.width + 1 }) > width { columns.removeLast() }
    let left = width - 1 - columns.reduce(0) { $0 + $1.width + 1 }
    if left >= 4 { columns.append(Column(content: .lane, title: "STATES", width: left)) }
    return columns
  }

  private func line(_ row: TopBoard.Row, _ columns: [Column], isSelected: Bool) -> String {
    let facts = row.facts
    let glyphs = text.style.glyphs
    let cells = columns.map { column -> String in
      let cell: String
      switch column.content {
      case .age: cell = text.age(facts.stay)
      case .state:
        let name = text.fit(facts.new.name(.rfc), column.width)
        return isSelected ? name : text.paint(name, facts.new)
      case .owner: cell = OwnerText.string(of: facts, glyphs: glyphs)
      case .local: cell = EndpointText.string(facts.local, glyphs: glyphs)
      case .peer: cell = EndpointText.string(facts.peer, glyphs: glyphs)
      case .sent: cell = text.bytes(facts.bytesSent)
      case .received: cell = text.bytes(facts.bytesReceived)
      case .retransmits: cell = text.number(facts.retransmits)
      case .lane: return lane(row, column.width, color: text.style.color && !isSelected)
      }
      return text.fit(cell, column.width, right: column.right)
    }
    return text.listed(cells.joined(separator: " "), isSelected: isSelected)
  }

  private func lane(_ row: TopBoard.Row, _ width: Int, color: Bool) -> String {
    var buffer = ByteBuffer(capacity: 256)
    let now = TopStay(state: row.facts.new, nanoseconds: row.facts.stay?.nanoseconds ?? 0)
    TopLane.append(row.past + [now], width: width, color: color, to: &buffer)
    return buffer.text
  }

  private func groupLines(first: Int, selected: Int, room: Int) -> [String] {
    var lines = [
      text.heading(
        " " + text.fit(view.grouping.rawValue.uppercased(), 30) + " " + text.fit("CONNECTIONS", 11, right: true) + " "
          + text.fit("OLDEST", 12, right: true) + "  STATES")
    ]
    for index in first..<min(first + room, list.groups.count) {
      let group = list.groups[index]
      let states = TCPState.all.filter { $0 != .closed && group.states[Int($0.number)] > 0 }
        .map { "\($0.name(.rfc)) \(group.states[Int($0.number)])" }.joined(separator: ", ")
      let line =
        text.fit(group.name, 30) + " " + text.fit(NumberText.string(UInt64(group.count)), 11, right: true) + " "
        + text.fit(text.age(group.oldest), 12, right: true) + "  " + text.fit(states, max(0, width - 58))
      lines.append(text.listed(line, isSelected: index == selected))
    }
    return lines
  }
}
