// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// One frame of `top` as text: exactly `height` lines of at most `width` columns. Pure: the same board, view, list, size
/// and style give the same bytes.
public struct TopFrame {
  public let board: TopBoard
  let view: TopView
  let width: Int
  let height: Int
  let text: TopText
  let layout: TopLayout
  public let list: TopList
  /// Earlier states of the connections on the screen, the oldest first.
  public var pasts: [UInt64: [TopStay]] = [:]
  /// What these count just now, if it was read.
  public var readings: [UInt64: TopReadings.Reading] = [:]
  /// What has become of the last key, in place of the footer's left part.
  public var message: String?

  /// - Parameters:
  ///   - list: of the board's rows, made for this view; `nil` to make it.
  ///   - style: its width is ignored.
  public init(_ board: TopBoard, _ view: TopView, list: TopList? = nil, width: Int, height: Int, style: TableStyle) {
    self.board = board
    self.view = view
    self.width = max(width, 20)
    self.height = max(height, 4)
    var style = style
    style.width = self.width
    text = TopText(width: self.width, style: style, theme: view.theme)
    layout = TopLayout(view.columns, width: self.width)
    self.list = list ?? TopList(board.rows, view)
  }

  /// The number of list lines that fit.
  public var page: Int { max(1, height - header.count - 2) }

  /// The chosen line, and the first on the screen.
  var window: (first: Int, selected: Int) {
    let selected = max(0, min(view.selected, list.count - 1))
    return (max(0, min(selected - page / 2, list.count - page)), selected)
  }

  /// The sockets in the lines on the screen.
  public var shown: [TopRow] {
    guard view.screen == .list, !view.showsGroups else { return [] }
    let first = window.first
    return (first..<min(first + page, list.count)).compactMap { index -> TopRow? in
      if case .row(let row) = list.content(index) { row } else { nil }
    }
  }

  /// What a key has to know.
  public var context: TopView.Context {
    TopView.Context(
      count: list.count, page: page, isRecording: board.recording != nil, line: { list.line($0) },
      target: { target(x: $0, y: $1) })
  }

  /// What is at a place, both from 0; `nil` for nothing that can be chosen.
  private func target(x: Int, y: Int) -> TopView.Target? {
    let line = y - header.count - 1
    switch view.screen {
    case .columns: return line >= 0 && line < TopColumn.allCases.count ? .line(line) : nil
    case .list:
      if line == -1, !view.showsGroups { return layout.column(at: x).map { TopView.Target.title($0) } }
      let index = window.first + line
      return line >= 0 && line < page && index < list.count ? .line(index) : nil
    default: return nil
    }
  }

  /// The frame's lines, without line feeds.
  public func lines() -> [String] {
    // The keys need the room of the counts.
    var lines = view.screen == .help ? [header[0]] : header
    switch view.screen {
    case .help: lines += TopHelp.lines(isRecording: board.recording != nil, notes: board.notes, text: text)
    case .detail(let id): lines += TopDetailText(board: board, text: text).lines(id)
    case .ladder(let id): lines += ladder(id)
    case .columns: lines += columnLines
    case .list: lines += view.showsGroups ? groupLines : listLines
    }
    lines = lines.prefix(height - 1).map { text.clip($0) }
    while lines.count < height - 1 { lines.append("") }
    lines.append(text.clip(footer))
    return lines
  }

  private func ladder(_ id: UInt64) -> [String] {
    guard let life = board.life, life.side(of: id) != nil else {
      return ["", "Nothing is known of this connection's life. Esc returns to the list."]
    }
    var buffer = ByteBuffer(capacity: 4096)
    var ladder = LifecycleLadder(style: text.style)
    ladder.append(life, to: &buffer)
    return [""] + buffer.text.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
  }

  /// The columns to choose from, those chosen marked.
  private var columnLines: [String] {
    let chosen = view.columns ?? TopColumn.usual
    let shown = Set(layout.slots.map(\.column))
    return [text.heading("  COLUMNS   Space or Enter chooses, Esc goes back")]
      + TopColumn.allCases.enumerated().map { index, column in
        let isChosen = chosen.contains(column)
        let room = isChosen && !shown.contains(column) ? "  (needs a wider terminal)" : ""
        let line = "[\(isChosen ? "x" : " ")] \(text.fit(column.rawValue, 12)) \(column.look.meaning)\(room)"
        return text.listed(text.fit(line, width - 1, pads: false), isSelected: index == view.selectedColumn)
      }
  }
}
