// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import TCPStateCore
import TCPStateKernel
import TCPStateReport

/// `top` over a recording: it moves with keys only, or by itself while it plays.
struct TopReplaySession: ~Copyable, Activity {
  private let screen: FullScreen
  private var replay: TopReplay
  private let name: String
  private let style: TableStyle
  private var view = TopView()
  private var parser = KeyParser()
  private var frame: TopFrame?
  private var last = KernelClock.monotonic()
  private var isGone = false

  init(_ replay: TopReplay, keys: Int32, name: String, style: TableStyle) throws(Failure) {
    guard let screen = FullScreen(keys: keys) else { throw Failure(.unavailable, "can't take the terminal over") }
    self.screen = screen
    self.replay = replay
    self.name = name
    self.style = style
  }

  mutating func start(_ loop: borrowing EventLoop) throws {
    loop.watch(screen.keys, events: EPOLLIN.rawValue)
    frame = draw()
  }

  /// While it plays, ten frames a second; else only what is typed changes anything.
  func timeout() -> Int32 { replay.isPlaying ? 100 : 1000 }

  mutating func round(_ loop: borrowing EventLoop, isLast: Bool) throws {
    if isLast { return }
    let input = screen.input()
    if input.isEmpty, screen.isGone {
      isGone = true
      return
    }
    for key in parser.keys(input) {
      view.handle(key, lines: frame?.listed ?? [], page: frame?.page ?? 0)
      if let travel = view.takeTravel() { replay.travel(travel) }
    }
    let now = KernelClock.monotonic()
    replay.pass(now - last)
    last = now
    frame = draw()
  }

  mutating func resized() {}
  mutating func interrupted() {}
  var isDone: Bool { view.wantsToQuit || isGone }

  private func draw() -> TopFrame {
    var board = replay.board()
    board.host = name
    let size = screen.size
    let frame = TopFrame(board, view, width: size.width, height: size.height, style: style)
    screen.draw(frame.lines())
    return frame
  }
}
