import CLinux
import Glibc
import TCPStateCore
import TCPStateKernel
import TCPStateReport

/// `top` over a recording: nothing moves but by keys, or by itself while it plays.
struct TopReplaySession: ~Copyable {
  private let loop: EventLoop
  private var replay: TopReplay
  private let name: String
  private let filter: RowFilter
  private let style: TableStyle
  private var view = TopView()
  private var parser = KeyParser()

  init(loop: consuming EventLoop, replay: TopReplay, name: String, filter: RowFilter, style: TableStyle) {
    self.loop = loop
    self.replay = replay
    self.name = name
    self.filter = filter
    self.style = style
  }

  mutating func run(keys: Int32) throws {
    guard let screen = FullScreen(keys: keys) else { throw Failure(.unavailable, "can't take the terminal over") }
    loop.watch(keys, events: EPOLLIN.rawValue)
    var frame = draw(screen)
    var last = KernelClock.monotonic()
    while !view.wantsToQuit {
      // While it plays, ten frames a second; else only what is typed changes anything.
      for signal in loop.wait(milliseconds: replay.isPlaying ? 100 : 1000) where signal != SIGWINCH { return }
      let input = screen.input()
      if input.isEmpty, screen.isGone { return }
      for key in parser.keys(input) {
        view.handle(key, lines: frame.listed, page: frame.page)
        if let travel = view.takeTravel() { replay.travel(travel) }
      }
      let now = KernelClock.monotonic()
      replay.pass(now - last)
      last = now
      frame = draw(screen)
    }
  }

  private func draw(_ screen: borrowing FullScreen) -> TopFrame {
    var board = replay.board(filter)
    board.host = name
    let size = screen.size
    let frame = TopFrame(board, view, width: size.width, height: size.height, style: style)
    screen.draw(frame.lines())
    return frame
  }
}
