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

  @Test func youngOnesAreNotToldOf() {
    var watch = StuckWatch(Self.query)
    let second = Self.second
    _ = watch.receive(Self.row(1, .established, .closeWait), at: 100 * second)
    let ended = watch.receive(Self.row(1, .closeWait, .lastAck), at: 101 * second)
    let isDue = watch.isDue(1000 * second)
    #expect(ended?.connection == nil && !isDue)
    #expect(watch.crossed == 0 && watch.ended == 0)
  }

  /// Their ages stay lower bounds.
  @Test func fromBefore() {
    var watch = StuckWatch(Self.query)
    let second = Self.second
    watch.adopt(Self.reading(1, 2, age: 3600), at: 10_000 * second)
    _ = watch.receive(Self.row(3, .established, .closeWait, .snapshot), at: 9_000 * second)
    let isDue = watch.isDue(10_000 * second)
    #expect(isDue)
    // The second one is gone, or not wanted.
    let due = watch.takeDue(10_000 * second, from: Self.reading(1, 3))
    #expect(due.map(\.connection) == [1, 3])
    #expect(due.map(\.age?.kind) == [.atLeast, .atLeast])
    #expect(due.first?.age?.nanoseconds == 3600 * second)
    let ended = watch.receive(Self.row(2, .closeWait, .lastAck), at: 10_001 * second)
    #expect(ended?.connection == nil)
  }
}
