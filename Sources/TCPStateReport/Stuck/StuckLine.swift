// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// A line of `stuck --watch`. Columns have fixed widths, because later lines aren't known yet.
public struct StuckLine: Sendable {
  private let style: StuckStyle
  private let table: StuckTable
  private var clock: ClockText

  private static let titles: [(String, Int, TextTable.Alignment)] = [
    ("TIME", 12, .left), ("EVENT", 5, .left), ("AGE", 11, .right), ("STATE", 12, .left), ("OWNER", 20, .left),
    ("FD", 4, .right), ("LOCAL", 21, .left), ("PEER", 21, .left), ("UNREAD", 8, .right), ("VERDICT", 10, .left),
  ]

  public init(style: StuckStyle) {
    self.style = style
    table = StuckTable(StuckReading(), style: style)
    clock = ClockText(utc: style.table.utc)
  }

  public func appendHeader(to buffer: inout ByteBuffer) {
    if style.table.color { buffer.append(StateColor.heading) }
    append(Self.titles.map(\.0), to: &buffer)
    if style.table.color { buffer.append(StateColor.reset) }
    buffer.append("\n")
  }

  /// - Parameter time: when `event` happened, nanoseconds since the epoch.
  public mutating func append(_ socket: StuckSocket, _ event: StuckEvent, time: UInt64, to buffer: inout ByteBuffer) {
    var now = ByteBuffer(capacity: 64)
    clock.append(time, precision: .milliseconds, to: &now)
    let isOver = event == .ended
    if style.table.color { buffer.append(StateColor.of(isOver ? .closed : socket.state)) }
    append(
      [
        now.text, isOver ? "ended" : "stuck", style.duration(socket.age), socket.state.name(.rfc),
        table.owner(of: socket), StuckTable.descriptors(of: socket, glyphs: style.table.glyphs),
        style.endpoint(socket.local), style.endpoint(socket.peer), style.bytes(socket.unreadBytes),
        StuckTable.words(socket.verdict), isOver ? "" : table.detail(of: socket),
      ], to: &buffer)
    if style.table.color { buffer.append(StateColor.reset) }
    buffer.append("\n")
  }

  private func append(_ cells: [String], to buffer: inout ByteBuffer) {
    var owed = 0
    for (index, cell) in cells.enumerated() where !cell.isEmpty {
      let width = DisplayWidth.of(cell)
      let column = index < Self.titles.count ? Self.titles[index] : ("", 0, .left)
      let slack = max(0, column.1 - width)
      buffer.append(spaces: owed + (column.2 == .right ? slack : 0))
      buffer.append(cell)
      owed = (column.2 == .right ? 0 : slack) + 2
    }
  }
}
