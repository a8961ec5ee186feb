// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import Testing

@Suite struct StuckWatchTests {
  private static let second: UInt64 = 1_000_000_000
  private static let query = StuckQuery(olderThan: 60 * second)

  private static func row(_ connection: UInt64, _ old: TCPState, _ new: TCPState, _ source: Source = .event)
    -> Transition
  {
    var row = Transition()
    row.connection = connection
    row.old = old
    row.new = new
    row.source = source
    return row
  }

  private static func reading(_ connections: UInt64..., age: UInt64? = nil) -> StuckReading {
    var reading = StuckReading()
    reading.sockets = connections.map { connection in
      var socket = StuckSocket(connection: connection, state: .closeWait)
      socket.age = age.map { Stay(nanoseconds: $0 * second, kind: .atLeast) }
      return socket
    }
    return reading
  }

  /// A threshold beyond the clock's range is never reached, rather than at once.
  @Test(arguments: [UInt64.max, UInt64.max - 1, UInt64(1) << 63]) func farThreshold(_ olderThan: UInt64) {
    var watch = StuckWatch(StuckQuery(olderThan: olderThan))
    let now = 100 * Self.second
    watch.adopt(Self.reading(1, age: 50), at: now)
    _ = watch.receive(Self.row(2, .established, .closeWait), at: now)
    #expect(watch.count == 2 && !watch.isDue(now + 1000 * Self.second))
    #expect(watch.takeDue(now + 1000 * Self.second, from: Self.reading(1, 2, age: 1050)).isEmpty)
  }

  /// An age beyond the machine's start is no time in the future.
  @Test func olderThanTheMachine() {
    var watch = StuckWatch(Self.query)
    watch.adopt(Self.reading(1, age: 500), at: 100 * Self.second)
    let due = watch.takeDue(100 * Self.second, from: Self.reading(1, age: 500))
    #expect(due.map { $0.age?.nanoseconds } == [100 * Self.second])
  }

  @Test func crossesOnceAndEnds() {
    var watch = StuckWatch(Self.query)
    let second = Self.second
    let nothing = watch.receive(Self.row(1, .established, .closeWait), at: 100 * second)
    #expect(nothing?.connection == nil)
    let (early, inTime) = (watch.isDue(159 * second), watch.isDue(160 * second))
    #expect(!early && inTime)
    let due = watch.takeDue(160 * second, from: Self.reading(1, age: 59))
    #expect(due.map(\.age) == [Stay(nanoseconds: 60 * second, kind: .exact)])
    let again = watch.isDue(1000 * second)
    #expect(!again)
    let ended = watch.receive(Self.row(1, .closeWait, .lastAck), at: 200 * second)
    #expect(ended?.age == Stay(nanoseconds: 100 * second, kind: .exact))
    #expect(watch.crossed == 1 && watch.ended == 1)
  }

  @Test func youngOnesAreNotReported() {
    var watch = StuckWatch(Self.query)
    let second = Self.second
    _ = watch.receive(Self.row(1, .established, .closeWait), at: 100 * second)
    let ended = watch.receive(Self.row(1, .closeWait, .lastAck), at: 101 * second)
    let isDue = watch.isDue(1000 * second)
    #expect(ended?.connection == nil && !isDue)
    #expect(watch.crossed == 0 && watch.ended == 0)
  }

  /// No more sockets are watched than the limit; those that are watched are reported as usual.
  @Test func isBounded() {
    var watch = StuckWatch(Self.query, limit: 100)
    let second = Self.second
    for connection in 1...10_000 as ClosedRange<UInt64> {
      _ = watch.receive(Self.row(connection, .established, .closeWait), at: 100 * second)
      #expect(watch.count <= 100)
    }
    watch.adopt(Self.reading(20_000, 20_001, age: 3600), at: 110 * second)
    #expect(watch.count == 100 && watch.crowdedOut == 9902)
    var all = StuckReading()
    all.sockets = (1...10_000).map { StuckSocket(connection: $0, state: .closeWait) }
    let due = watch.takeDue(160 * second, from: all)
    #expect(due.count == 100 && watch.crossed == 100)
    // When one leaves there is room for another.
    let ended = watch.receive(Self.row(1, .closeWait, .lastAck), at: 200 * second)
    _ = watch.receive(Self.row(30_000, .established, .closeWait), at: 201 * second)
    #expect(ended?.connection == 1 && watch.count == 100 && watch.crowdedOut == 9902)
  }

  /// A socket whose end was lost isn't watched forever.
  @Test func vanishes() {
    var watch = StuckWatch(Self.query)
    let second = Self.second
    _ = watch.receive(Self.row(1, .established, .closeWait), at: 100 * second)
    _ = watch.receive(Self.row(2, .established, .closeWait), at: 100 * second)
    func vanished(_ time: UInt64, _ reading: StuckReading) -> [StuckSocket] {
      watch.takeVanished(time * second, from: reading)
    }
    let early = vanished(130, Self.reading())
    #expect(early.isEmpty, "young ones aren't reported")
    _ = watch.takeDue(160 * second, from: Self.reading(1, 2))
    let there = vanished(170, Self.reading(1, 2))
    let gone = vanished(180, Self.reading(1))
    #expect(there.isEmpty && gone.isEmpty, "its event may still be on its way")
    let back = vanished(190, Self.reading(1, 2)), again = vanished(200, Self.reading(1))
    #expect(back.isEmpty && again.isEmpty)
    let left = vanished(210, Self.reading(1))
    #expect(left.map(\.connection) == [2])
    #expect(left.first?.age == Stay(nanoseconds: 90 * second, kind: .atLeast), "seen at 190 s")
    #expect(watch.count == 1 && watch.crossed == 2 && watch.ended == 1)
    let late = watch.receive(Self.row(2, .closeWait, .lastAck), at: 220 * second)
    #expect(late == nil && watch.ended == 1)
  }

  /// The ages of sockets that are older than the watch stay lower bounds.
  @Test func olderSocketsHaveBounds() {
    var watch = StuckWatch(Self.query)
    let second = Self.second
    watch.adopt(Self.reading(1, 2, age: 3600), at: 10_000 * second)
    _ = watch.receive(Self.row(3, .established, .closeWait, .snapshot), at: 9_000 * second)
    let isDue = watch.isDue(10_000 * second)
    #expect(isDue)
    // The second one is gone or not wanted.
    let due = watch.takeDue(10_000 * second, from: Self.reading(1, 3))
    #expect(due.map(\.connection) == [1, 3])
    #expect(due.map(\.age?.kind) == [.atLeast, .atLeast])
    #expect(due.first?.age?.nanoseconds == 3600 * second)
    let ended = watch.receive(Self.row(2, .closeWait, .lastAck), at: 10_001 * second)
    #expect(ended?.connection == nil)
  }
}
