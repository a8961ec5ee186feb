// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// A line of `stuck --watch`. Columns have fixed widths, because later lines aren't known yet.
public struct StuckLine: Sendable {
  private var style: StuckStyle
  private let showsState: Bool
  private var columns: [Column]
  private var clock: ClockText

  private struct Column {
    let kind: Kind
    let width: Int
  }

  private enum Kind: String {
    case time, event, age, state, owner, fd, local, port, peer, unread, verdict

    var alignsRight: Bool { [.age, .fd, .port, .unread].contains(self) }
  }

  /// From wide to narrow. Without a column for events, the verdict is `ended` for those; without one for verdicts they are on
  /// the line below.
  private static let layouts: [[Column]] = {
    func layout(_ columns: (Kind, Int)...) -> [Column] { columns.map { Column(kind: $0.0, width: $0.1) } }
    return [
      layout(
        (.time, 12), (.event, 5), (.age, 11), (.state, 12), (.owner, 20), (.fd, 4), (.local, 21), (.peer, 21),
        (.unread, 8),
        (.verdict, 10)),
      layout(
        (.time, 12), (.event, 5), (.age, 11), (.state, 12), (.owner, 20), (.fd, 4), (.port, 6), (.peer, 21),
        (.unread, 8),
        (.verdict, 10)),
      layout(
        (.time, 12), (.age, 11), (.state, 12), (.owner, 16), (.fd, 4), (.port, 6), (.peer, 21), (.verdict, 10)),
      layout((.time, 12), (.age, 10), (.state, 12), (.owner, 14), (.fd, 3), (.peer, 21), (.verdict, 10)),
      layout((.time, 12), (.age, 10), (.state, 12), (.owner, 13), (.peer, 21)),
      layout((.age, 10), (.state, 12), (.owner, 12), (.peer, 21), (.verdict, 10)),
      layout((.age, 10), (.state, 12), (.owner, 9), (.peer, 21)),
    ]
  }()

  /// - Parameter states: those that are watched: one alone has no column on a terminal.
  public init(style: StuckStyle, states: Set<TCPState> = []) {
    self.style = style
    showsState = style.table.width == nil || states.count != 1
    clock = ClockText(utc: style.table.utc)
    columns = Self.columns(style.table.width, showsState)
  }

  /// Adopts a new terminal width.
  ///
  /// - Returns: whether the header is to be repeated.
  public mutating func resize(width: Int?) -> Bool {
    let before = columns.map(\.kind)
    style.table.width = width
    columns = Self.columns(width, showsState)
    return columns.map(\.kind) != before
  }

  private static func columns(_ terminal: Int?, _ showsState: Bool) -> [Column] {
    let all = layouts.map { $0.filter { showsState || $0.kind != .state } }
    guard let terminal else { return all[0] }
    return all.first { $0.reduce(-2) { $0 + $1.width + 2 } <= terminal } ?? all[all.count - 1]
  }

  public func appendHeader(to buffer: inout ByteBuffer) {
    if style.table.color { buffer.append(StateColor.heading) }
    append(columns.map { $0.kind.rawValue.uppercased() }, to: &buffer)
    if style.table.color { buffer.append(StateColor.reset) }
    buffer.append("\n")
  }

  /// - Parameter time: when `event` happened, nanoseconds since the epoch.
  public mutating func append(_ socket: StuckSocket, _ event: StuckEvent, time: UInt64, to buffer: inout ByteBuffer) {
    var now = ByteBuffer(capacity: 64)
    clock.append(time, precision: .milliseconds, to: &now)
    let isOver = event == .ended
    let word = isOver ? "ended" : "stuck"
    let verdict = StuckTable.words(socket.verdict)
    let hasVerdict = columns.contains { $0.kind == .verdict }
    let hasEvent = columns.contains { $0.kind == .event }
    let cells = columns.map { column -> String in
      switch column.kind {
      case .time: now.text
      case .event: word
      case .age: style.table.width == nil ? style.duration(socket.age) : style.shortAge(of: socket)
      case .state: socket.state.name(.rfc)
      case .owner: owner(of: socket, column.width)
      case .fd: StuckTable.descriptors(of: socket, glyphs: style.table.glyphs)
      case .local: endpoint(socket.local, column.width)
      case .port: ":\(socket.local.port)"
      case .peer: endpoint(socket.peer, column.width)
      case .unread: style.bytes(socket.unreadBytes)
      case .verdict: isOver && !hasEvent ? word : verdict
      }
    }
    let table = StuckTable(StuckReading(), style: style)
    let below = hasVerdict ? "" : isOver && !hasEvent ? word : verdict
    let detail = [below, isOver ? "" : table.detail(of: socket)].filter { !$0.isEmpty }.joined(separator: ", ")
    let color = isOver ? StateColor.faint : socket.age.flatMap { StateColor.of(socket.state, lasting: $0.nanoseconds) }
    if style.table.color, let color { buffer.append(color) }
    let isWritten = hasVerdict && append(cells, detail: detail, to: &buffer)
    if !hasVerdict { append(cells, to: &buffer) }
    if !detail.isEmpty, !isWritten {
      for line in FittedText.wrapped(detail, width: style.table.width ?? .max, first: "    ", rest: "    ") {
        buffer.append("\n" + line)
      }
    }
    if style.table.color, color != nil { buffer.append(StateColor.reset) }
    buffer.append("\n")
  }

  private func owner(of socket: StuckSocket, _ width: Int) -> String {
    guard let owner = socket.owner else { return style.table.glyphs.unknown.description }
    return OwnerText.string(
      name: owner.name, pid: owner.pid, kind: owner.kind, fitting: style.table.width == nil ? .max : width,
      glyphs: style.table.glyphs)
  }

  private func endpoint(_ endpoint: Endpoint, _ width: Int) -> String {
    EndpointText.string(endpoint, fitting: style.table.width == nil ? .max : width, glyphs: style.table.glyphs)
  }

  /// Appends a line without its end. A cell that is wider than its column takes padding from the others.
  ///
  /// - Returns: whether the detail was written, too.
  @discardableResult
  private func append(_ cells: [String], detail: String = "", to buffer: inout ByteBuffer) -> Bool {
    let widths = cells.map { DisplayWidth.of($0) }
    var paddings: [Int] = []
    var (position, end) = (0, 0)
    for (index, column) in columns.enumerated() {
      let start = index == 0 ? 0 : end + 2
      end = start + column.width
      let wanted = column.kind.alignsRight ? end - widths[index] : start
      paddings.append(max(wanted - position, index == 0 ? 0 : 1))
      position += paddings[index] + widths[index]
    }
    let terminal = style.table.width ?? .max
    for index in paddings.indices.dropFirst().reversed() where position > terminal {
      let less = min(position - terminal, paddings[index] - 1)
      paddings[index] -= less
      position -= less
    }
    for (index, cell) in cells.enumerated() {
      buffer.append(spaces: paddings[index])
      buffer.append(cell)
    }
    let gap = max(end - position, 0) + 2
    guard !detail.isEmpty, position + gap + DisplayWidth.of(detail) <= terminal else { return detail.isEmpty }
    buffer.append(spaces: gap)
    buffer.append(detail)
    return true
  }
}
