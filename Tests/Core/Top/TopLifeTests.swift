// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TestSupport
import Testing

/// A life made from stays has the states and the times of the one made from all rows.
@Suite struct TopLifeTests {
  private static func script() -> LifeScript {
    var script = LifeScript()
    script.go(.client, .synSent, at: 0)
    script.go(.server, .synReceived, at: 50)
    script.go(.client, .established, at: 100)
    script.go(.server, .established, at: 150)
    script.go(.client, .finWait1, at: 5000)
    script.go(.server, .closeWait, at: 5050)
    script.go(.client, .finWait2, at: 5100)
    return script
  }

  @Test func bothEnds() throws {
    let rows = Self.script().rows
    var (history, sockets, tracker) = (TopHistory(), RecordedSockets(), LifecycleTracker(waitsForTimeWait: true))
    for row in rows {
      history.receive(row)
      sockets.receive(row)
      tracker.apply(row) { _ in }
    }
    var ends: [Transition] = []
    sockets.forEachOpen(now: (rows.last?.time ?? 0) + 1000) { row in ends.append(copy row) }
    let client = try #require(ends.first { $0.role == .client })
    let life = try #require(TopLife.life(of: client.connection, ends) { history.past(of: $0) })
    let whole = try #require(tracker.life(of: client.connection))
    #expect(life.isJoined && life.beginningSeen && life.start == whole.start)
    for side in Side.allCases {
      let (mine, other) = (life[side]?.moments ?? [], whole[side]?.moments ?? [])
      #expect(mine.map(\.old) == other.map(\.old) && mine.map(\.new) == other.map(\.new) && !mine.isEmpty)
      #expect(mine.map(\.time) == other.map(\.time) && mine.map(\.stay) == other.map(\.stay))
    }
  }

  /// Of a socket that is older than the tracer only the state in which it was found is known.
  @Test func olderThanTheTracer() throws {
    var facts = Transition()
    (facts.connection, facts.new, facts.role, facts.time) = (7, .closeWait, .server, 5_000_000_000)
    facts.stay = Stay(nanoseconds: 1_000_000_000, kind: .atLeast)
    (facts.local.port, facts.peer.port) = (80, 40_000)
    let life = try #require(TopLife.life(of: 7, [facts]) { _ in [] })
    #expect(!life.beginningSeen && life.server?.moments.isEmpty ?? false && life.server?.found?.state == .closeWait)
  }
}
