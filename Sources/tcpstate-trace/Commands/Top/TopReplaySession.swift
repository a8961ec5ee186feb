// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import TCPStateCore
import TCPStateKernel
import TCPStateReport

/// `top` over a recording: it moves with keys only, or by itself while it plays.
struct TopReplaySession: ~Copyable, Activity {
  private var screen: TopScreen
  private var replay: TopReplay
  private let name: String
  private let notes: [String]
  private var last = KernelClock.monotonic()
  /// The moment that is on the screen, nanoseconds since the epoch.
  private var drawn: UInt64?
  private var isGone = false

  /// - Parameters:
  ///   - name: the recording's, for people.
  ///   - notes: one sentence each.
  init(_ replay: TopReplay, screen: consuming TopScreen, name: String, notes: [String]) {
    self.screen = screen
    self.replay = replay
    self.name = name
    self.notes = notes
  }

  mutating func start(_ loop: borrowing EventLoop) throws {
    loop.watch(screen.keys, events: EPOLLIN.rawValue)
    draw()
  }

  /// While it plays, ten frames a second; else only what is typed changes anything.
  func timeout() -> Int32 { replay.isPlaying ? 100 : 1000 }

  mutating func round(_ loop: borrowing EventLoop, isLast: Bool) throws {
    if isLast { return }
    var ways: [TopReplay.Travel] = []
    guard screen.takeKeys({ ways.append($0) }) != nil else {
      isGone = true
      return
    }
    for way in ways { replay.travel(way) }
    let now = KernelClock.monotonic()
    replay.pass(now - last)
    last = now
    if screen.wantsExport { screen.export(at: replay.time, replay.facts()) }
    draw()
  }

  mutating func resized() {}
  mutating func interrupted() {}
  var isDone: Bool { screen.view.wantsToQuit || isGone }

  private mutating func draw() {
    let wanted = screen.view.wanted
    var board = replay.board(wanted)
    board.host = name
    board.notes = notes
    if case .ladder(let id) = screen.view.screen { board.life = replay.life(of: id) }
    var frame = screen.prepare(board, isFresh: replay.time != drawn)
    drawn = replay.time
    frame.pasts = replay.pasts(of: frame.shown.map(\.connection))
    screen.draw(frame)
  }
}
