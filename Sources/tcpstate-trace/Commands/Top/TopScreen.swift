// SPDX-License-Identifier: Apache-2.0
import Glibc
import TCPStateCore
import TCPStateKernel
import TCPStateReport

/// `top` at the terminal, wherever its board comes from: keys change the view, frames are drawn, and what keys ask for
/// besides is done.
struct TopScreen: ~Copyable {
  /// How long the footer says what has become of a key, in nanoseconds.
  private static let messageTime: UInt64 = 5_000_000_000
  private static let gone = "the process that writes files has ended"

  private let screen: FullScreen
  private let style: TableStyle
  private let files: UserFiles
  private(set) var view = TopView()
  private var parser = KeyParser()
  private var frame: TopFrame?
  private var list: TopList?
  /// The view for which the list was made.
  private var listView = TopView()
  private var message: (text: String, until: UInt64)?
  private var hasMouse: Bool
  /// Whether the list is to be written to a file.
  private(set) var wantsExport = false

  init(
    keys: Int32 = 0, style: TableStyle, settings: TopSettings, files: consuming UserFiles
  ) throws(Failure) {
    guard let screen = FullScreen(keys: keys) else { throw Failure(.unavailable, "can't take the terminal over") }
    self.screen = screen
    self.style = style
    self.files = files
    hasMouse = settings.mouse
    settings.apply(to: &view)
    if hasMouse { self.screen.setMouse(true) }
  }

  /// Where keys come from.
  var keys: Int32 { screen.keys }
  var width: Int { screen.size.width }

  /// Takes what has been typed.
  ///
  /// - Parameter travel: receives where in time keys lead.
  /// - Returns: how many keys there were; `nil` when the terminal has hung up.
  mutating func takeKeys(_ travel: (TopReplay.Travel) -> Void = { _ in }) -> Int? {
    let input = screen.input()
    if input.isEmpty, screen.isGone { return nil }
    let keys = parser.keys(input)
    for key in keys {
      // Several keys may come at once: the later ones meet what the earlier ones have made of the list.
      if !view.lists(like: listView), let drawn = frame { frame = prepare(drawn.board, isFresh: false) }
      guard let context = frame?.context else { continue }
      view.handle(key, context)
      if let way = view.takeTravel() { travel(way) }
      if let request = view.takeRequest() { take(request) }
    }
    if let reply = files.takeReply() { say(reply) }
    return keys.count
  }

  private mutating func take(_ request: TopView.Request) {
    switch request {
    case .copy(let index):
      guard let line = frame?.plain(index) else { return }
      screen.copy(line)
      say("copied, if the terminal allows it (OSC 52)")
    case .export: wantsExport = true
    case .mouse:
      hasMouse.toggle()
      screen.setMouse(hasMouse)
      say("mouse \(hasMouse ? "on" : "off")")
    case .save:
      if !files.save(TopSettings(view, mouse: hasMouse).text) { say("settings not saved: \(Self.gone)") }
    }
  }

  private mutating func say(_ text: String) { message = (text, KernelClock.monotonic() + Self.messageTime) }

  /// Writes the listed connections to a new file in the current folder, in their order.
  ///
  /// - Parameters:
  ///   - now: nanoseconds since the epoch, which names the file.
  ///   - facts: all open connections, by id.
  mutating func export(at now: UInt64, _ facts: [UInt64: Transition]) {
    wantsExport = false
    let connections = list?.everyConnection ?? []
    var csv = CSVWriter()
    var buffer = ByteBuffer()
    csv.appendHeader(to: &buffer)
    var sequence: UInt64 = 0
    for connection in connections {
      guard var row = facts[connection] else { continue }
      sequence += 1
      row.sequence = sequence
      csv.append(row, to: &buffer)
    }
    let name = "tcpstate-trace-top-\(Self.stamp(now)).csv"
    let what = "\(NumberText.string(sequence)) connection\(sequence == 1 ? "" : "s")"
    if !files.export(buffer.withBytes { Array($0) }, name: name, what: what) { say("not written: \(Self.gone)") }
  }

  /// UTC, to the millisecond: `20261130T201512.345Z`.
  private static func stamp(_ time: UInt64) -> String {
    var text = TimeText()
    var buffer = ByteBuffer(capacity: 64)
    text.append(rfc3339: time, to: &buffer)
    let digits = buffer.text.filter { $0 != "-" && $0 != ":" }
    return String(digits.prefix(19)) + "Z"
  }

  private mutating func refreshList(_ rows: [TopRow]) {
    list = TopList(rows, view)
    listView = view
  }

  /// A frame of the board, to be completed and drawn.
  ///
  /// - Parameter isFresh: whether the board's rows are others than those of the last frame.
  mutating func prepare(_ board: TopBoard, isFresh: Bool) -> TopFrame {
    if isFresh || list == nil || !view.lists(like: listView) { refreshList(board.rows) }
    let size = screen.size
    return TopFrame(board, view, list: list, width: size.width, height: size.height, style: style)
  }

  mutating func draw(_ frame: consuming TopFrame) {
    if let message, message.until < KernelClock.monotonic() { self.message = nil }
    frame.message = message?.text
    screen.draw(frame.lines())
    self.frame = frame
  }
}
