// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TestSupport
import Testing

/// A recording's board at any moment, and the keys that move there.
@Suite struct TopReplayTests {
  private static let second: UInt64 = 1_000_000_000
  private static let start = LifeScript.start

  /// One server's connection within two hours: transitions at 0 s, 0.1 s, 1 s and 90 s.
  private static func script() -> LifeScript {
    var script = LifeScript()
    script.go(.server, .synReceived, at: 0)
    script.go(.server, .established, at: 100_000)
    script.go(.server, .closeWait, at: 1_000_000)
    script.go(.server, .closed, at: 90_000_000)
    return script
  }

  private static func replay(_ rows: [Transition] = script().rows) -> TopReplay {
    TopReplay(rows, span: start...start + 7_200 * second, lost: 0)
  }

  /// Milliseconds after the recording's start, after each move.
  private static func times(_ replay: inout TopReplay, _ moves: [TopReplay.Travel]) -> [UInt64] {
    moves.map { move in
      replay.travel(move)
      return (replay.time - start) / 1_000_000
    }
  }

  // MARK: - Moving

  @Test func stepsGoFromAMillisecondToAnHour() {
    var replay = Self.replay()
    #expect(replay.step == Self.second)
    func steps(_ travel: TopReplay.Travel, _ count: Int) -> [UInt64] {
      (0..<count).map { _ in
        replay.travel(travel)
        return replay.step / 1_000_000
      }
    }
    #expect(steps(.finer, 5) == [100, 10, 1, 1, 1])
    #expect(steps(.coarser, 9) == [10, 100, 1_000, 10_000, 60_000, 600_000, 3_600_000, 3_600_000, 3_600_000])
  }

  @Test func movesStayWithinTheRecording() {
    var replay = Self.replay()
    #expect(Self.times(&replay, [.back, .forward, .forward, .back]) == [0, 1_000, 2_000, 1_000])
    #expect(Self.times(&replay, [.end, .forward, .back, .forward]) == [7_200_000, 7_200_000, 7_199_000, 7_200_000])
    #expect(Self.times(&replay, [.start, .back]) == [0, 0])
    replay.move(to: 0)
    #expect(replay.time == replay.start)
    replay.move(to: .max)
    #expect(replay.time == replay.end)
  }

  @Test func previousAndNextGoToTransitions() {
    var replay = Self.replay()
    #expect(Self.times(&replay, [.next, .next, .next, .next]) == [100, 1_000, 90_000, 90_000])
    #expect(Self.times(&replay, [.previous, .previous, .previous, .previous]) == [1_000, 100, 0, 0])
    replay.move(to: Self.start + 50 * Self.second)
    #expect(Self.times(&replay, [.previous]) == [1_000])
    replay.move(to: Self.start + 50 * Self.second)
    #expect(Self.times(&replay, [.next]) == [90_000])
  }

  @Test func playsUntilTheEnd() {
    var replay = Self.replay()
    replay.pass(Self.second)
    #expect(replay.time == Self.start, "it stands still until it plays")
    replay.travel(.play)
    #expect(replay.isPlaying && replay.board().recording?.isPlaying == true)
    replay.pass(2 * Self.second)
    #expect(replay.time == Self.start + 2 * Self.second && replay.isPlaying)
    replay.travel(.play)
    replay.pass(Self.second)
    #expect(replay.time == Self.start + 2 * Self.second && !replay.isPlaying)
    replay.travel(.play)
    replay.pass(.max)
    #expect(replay.time == replay.end && !replay.isPlaying)
    replay.travel(.play)
    #expect(!replay.isPlaying, "nothing is left to play")
  }

  // MARK: - The board

  private static func open(_ replay: borrowing TopReplay) -> [String] {
    let rows = replay.board().rows
    let pasts = replay.pasts(of: rows.map(\.connection))
    return rows.map { row in
      let past = (pasts[row.connection] ?? []).map { $0.state.name(.rfc) }.joined(separator: " ")
      return "\(row.state.name(.rfc)) \((row.stay?.nanoseconds ?? 0) / 1_000_000) after \(past)"
    }
  }

  @Test func showsWhatWasOpen() {
    var replay = Self.replay()
    #expect(Self.open(replay) == ["SYN-RECEIVED 0 after "])
    replay.move(to: Self.start + Self.second - 1)
    #expect(Self.open(replay) == ["ESTABLISHED 899 after SYN-RECEIVED"])
    replay.move(to: Self.start + Self.second)
    #expect(Self.open(replay) == ["CLOSE-WAIT 0 after SYN-RECEIVED ESTABLISHED"])
    replay.move(to: Self.start + 90 * Self.second)
    #expect(replay.board().rows.isEmpty)
  }

  /// The last minute, a value for each second of it, the one that has begun last.
  @Test func sparklinesCoverAMinute() {
    var replay = Self.replay()
    func perSecond(_ seconds: UInt64) -> [UInt64] {
      replay.move(to: Self.start + seconds * Self.second)
      let board = replay.board()
      #expect(board.counts.allSatisfy { $0.isEmpty || $0.count == board.perSecond.count })
      return board.perSecond
    }
    func zeros(_ count: Int) -> [UInt64] { Array(repeating: 0, count: count) }
    #expect(perSecond(0) == [1], "what happens until the moment shown")
    #expect(perSecond(2) == [2, 1, 0])
    #expect(perSecond(59) == [2, 1] + zeros(58))
    #expect(perSecond(60) == [1] + zeros(59))
    #expect(perSecond(61) == zeros(60))
    #expect(perSecond(90) == zeros(59) + [1])
    #expect(perSecond(149) == [1] + zeros(59))
    #expect(perSecond(150) == zeros(60))
    #expect(replay.board().transitions == 4)
  }

  /// The board of a moment doesn't depend on how one came there.
  @Test(
    arguments: [0, 1, 999, 1_000, 1_500, 59_999, 60_000, 60_999, 61_000, 89_999, 90_000, 119_500, 151_000] as [UInt64])
  func everyWayLeadsToTheSameBoard(_ milliseconds: UInt64) {
    let moment = Self.start + milliseconds * 1_000_000
    func picture(_ move: (inout TopReplay) -> Void) -> [String] {
      var replay = Self.replay()
      move(&replay)
      let board = replay.board()
      return Self.open(replay) + ["\(board.time) \(board.transitions)", "\(board.perSecond)"]
        + board.counts.map { "\($0)" }
    }
    let jump = picture { $0.move(to: moment) }
    let steps = picture { replay in
      for time in stride(from: Self.start, to: moment, by: 700_000_000) { replay.move(to: time) }
      replay.move(to: moment)
    }
    let back = picture { replay in
      replay.move(to: replay.end)
      replay.move(to: moment)
    }
    #expect(steps == jump)
    #expect(back == jump)
  }

  /// The end of TIME-WAIT is written later than it happened; rows with equal times keep their order.
  @Test func rowsAreAppliedInTheOrderOfTheirTimes() {
    var script = Self.script()
    script.rows[1].time = script.rows[0].time
    let late = [script.rows[0], script.rows[1], script.rows[3], script.rows[2]]
    var replay = Self.replay(late)
    #expect(Self.open(replay) == ["ESTABLISHED 0 after SYN-RECEIVED"])
    replay.move(to: Self.start + 2 * Self.second)
    #expect(Self.open(replay) == ["CLOSE-WAIT 1000 after SYN-RECEIVED ESTABLISHED"])
    replay.travel(.end)
    #expect(replay.board().rows.isEmpty)
  }
}
