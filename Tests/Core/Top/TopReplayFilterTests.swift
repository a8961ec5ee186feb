// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TestSupport
import Testing

/// A filtered board counts what it lists.
@Suite struct TopReplayFilterTests {
  private static func rows() -> [Transition] {
    (0..<6).flatMap { number in
      var script = LifeScript()
      script.edit(.server) { $0.connection += UInt64(number) }
      script.edit(.server) { $0.ownerPID = number < 2 ? 812 : 900 }
      script.go(.server, .synReceived, at: UInt64(number))
      script.go(.server, .established, at: 100)
      script.go(.server, .closeWait, at: 1_000_000) { $0.bytesSent = 0 }
      return script.rows
    }.sorted { $0.time < $1.time }
  }

  private static func board(_ filter: RowFilter, at time: UInt64) -> TopBoard {
    let rows = rows()
    let end = rows[rows.count - 1].time + 5_000_000_000
    var replay = TopReplay(rows, span: rows[0].time...end, lost: 0, filter: filter)
    replay.move(to: rows[0].time + time)
    return replay.board()
  }

  @Test func countsWhatTheFilterLets() {
    let closeWait = Int(TCPState.closeWait.number)
    #expect(Self.board(RowFilter(), at: 3_000_000_000).counts[closeWait].last == 6)
    var filter = RowFilter()
    filter.pids = [812]
    let board = Self.board(filter, at: 3_000_000_000)
    #expect(board.rows.count == 2 && board.counts[closeWait].last == 2 && board.counts[closeWait].count == 4)
    #expect(board.transitions == 6 && board.perSecond == [4, 2, 0, 0])
    filter = RowFilter()
    filter.processes = [ShortName("nothing")]
    #expect(Self.board(filter, at: 3_000_000_000).counts[closeWait].last == 0)
    filter = RowFilter()
    filter.states = [.listen]
    #expect(Self.board(filter, at: 3_000_000_000).counts.allSatisfy { $0.last ?? 0 == 0 })
    filter = RowFilter()
    filter.longerThan = 1_500_000_000
    #expect(Self.board(filter, at: 2_000_000_000).counts[closeWait].last == 0)
    #expect(Self.board(filter, at: 3_000_000_000).counts[closeWait].last == 6)
  }

  /// The counters of a transition are those of its moment, and unknown later.
  @Test func countersOfAnotherMoment() {
    #expect(Self.board(RowFilter(), at: 900_000_000).rows.allSatisfy { $0.bytesSent == nil })
    let rows = Self.rows()
    let last = rows[rows.count - 1].time
    var replay = TopReplay(rows, span: rows[0].time...last, lost: 0)
    replay.move(to: last)
    #expect(replay.board().rows.allSatisfy { $0.bytesSent == 0 })
  }
}
