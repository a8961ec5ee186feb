// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import Testing

/// What a recording shows at any moment.
@Suite struct RecordedSocketsTests {
  private static let second: UInt64 = 1_000_000_000
  private static let start: UInt64 = 1_700_000_000 * second

  private static func row(
    _ connection: UInt64, _ old: TCPState, _ new: TCPState, at seconds: Int64, source: Source = .event,
    role: Role = .server
  ) -> Transition {
    var row = Transition()
    row.connection = connection
    (row.old, row.new) = (old, new)
    row.time = UInt64(Int64(start) + seconds * Int64(second))
    row.source = source
    row.role = role
    (row.ownerPID, row.ownerName) = (812, ShortName("nginx"))
    row.local = Endpoint(address: IPAddress(v4: 0x0a00_0005), port: role == .client ? UInt16(40_000 + connection) : 443)
    row.peer = Endpoint(address: IPAddress(v4: 0x0a00_0009), port: role == .client ? 5432 : UInt16(40_000 + connection))
    row.netns = 7
    return row
  }

  private static func withoutOwner(_ row: Transition) -> Transition {
    var row = row
    (row.ownerPID, row.ownerName) = (nil, ShortName())
    return row
  }

  private static let rows = [
    // Two that are older than the recording, one of which ends.
    row(1, .closeWait, .closeWait, at: -100, source: .snapshot),
    row(2, .established, .established, at: -50, source: .snapshot),
    row(3, .listen, .synReceived, at: 0), row(3, .synReceived, .established, at: 0),
    withoutOwner(row(2, .established, .closeWait, at: 10)), row(3, .established, .closeWait, at: 20),
    row(1, .closeWait, .lastAck, at: 30), row(1, .lastAck, .closed, at: 31),
    row(4, .closed, .synSent, at: 32, role: .client), row(4, .synSent, .established, at: 33, role: .client),
    row(4, .established, .finWait1, at: 34, role: .client), row(4, .finWait1, .finWait2, at: 34, role: .client),
    row(4, .finWait2, .timeWait, at: 35, role: .client),
    // Reported late: it was over at 25.
    row(3, .closeWait, .closed, at: 25, source: .derived),
  ]

  private static func sockets(until seconds: UInt64) -> RecordedSockets {
    var sockets = RecordedSockets()
    for row in rows where row.time <= start + seconds * second { sockets.receive(row) }
    return sockets
  }

  private static func found(at seconds: UInt64, _ query: StuckQuery = StuckQuery(olderThan: 0)) -> StuckReading {
    sockets(until: seconds).reading(query, now: start + seconds * second)
  }

  @Test func agesDependOnTheMoment() throws {
    let early = Self.found(at: 22)
    #expect(early.sockets.map(\.connection) == [1, 2, 3])
    #expect(
      early.sockets.map(\.age) == [
        Stay(nanoseconds: 122 * Self.second, kind: .atLeast), Stay(nanoseconds: 12 * Self.second, kind: .exact),
        Stay(nanoseconds: 2 * Self.second, kind: .exact),
      ])
    #expect(Self.found(at: 40).sockets.map(\.connection) == [2])
    let old = Self.found(at: 22, StuckQuery(olderThan: 60 * Self.second))
    #expect(old.sockets.map(\.connection) == [1] && old.younger == 2)
  }

  /// The owner is known even if the last row lacks it; descriptors and queues are unknown.
  @Test func descriptorsAndQueuesAreUnknown() throws {
    let socket = try #require(Self.found(at: 40).sockets.first)
    #expect(socket.verdict == .unknown)
    #expect(socket.holders == [SocketHolder(pid: 812, name: ShortName("nginx"), descriptor: nil)])
    #expect(socket.unreadBytes == nil && socket.unsentBytes == nil && socket.timeouts == nil)
    #expect(socket.netns == 7)
    var query = StuckQuery(olderThan: 0)
    query.filter.pids = [813]
    #expect(Self.found(at: 40, query).sockets.isEmpty)
    query.filter.pids = [812]
    #expect(Self.found(at: 40, query).sockets.count == 1)
  }

  @Test func timeWaitNamesItsMaker() throws {
    let reading = Self.found(at: 40, StuckQuery(states: [.timeWait], olderThan: 0))
    let socket = try #require(reading.sockets.first)
    #expect(socket.verdict == .orphan && socket.holders.isEmpty && socket.owner?.pid == 812)
    let group = try #require(reading.timeWait.first)
    #expect(group.connected == true && group.ports == nil && group.local.port == 0 && group.peer.port == 5432)
    #expect(group.makers == [SocketHolder(pid: 812, name: ShortName("nginx"), descriptor: nil): 1])
    #expect(group.forecast == .levelsOff(at: 6))
  }

  @Test func replayGoesBothWays() {
    let span = Self.start...(Self.start + 35 * Self.second)
    var replay = TopReplay(Self.rows, span: span, lost: 0)
    func ids() -> [UInt64] { replay.board().rows.filter { $0.state != .listen }.map(\.connection).sorted() }
    #expect(replay.time == Self.start && ids() == [1, 2, 3])
    replay.move(to: .max)
    #expect(replay.time == span.upperBound && ids() == [2, 4])
    #expect(replay.board().transitions == 12)
    replay.travel(.previous)
    #expect(replay.time == Self.start + 34 * Self.second)
    replay.travel(.coarser)
    replay.travel(.back)
    #expect(replay.time == Self.start + 24 * Self.second && ids() == [1, 2, 3])
    replay.travel(.next)
    #expect(replay.time == Self.start + 25 * Self.second && ids() == [1, 2])
    replay.travel(.start)
    replay.travel(.play)
    replay.pass(20 * Self.second)
    #expect(replay.isPlaying && replay.time == Self.start + 20 * Self.second)
    replay.pass(60 * Self.second)
    #expect(!replay.isPlaying && replay.time == span.upperBound)
  }

  /// Sparklines don't depend on how one got to a moment.
  @Test func samples() {
    let span = Self.start...(Self.start + 35 * Self.second)
    var stepped = TopReplay(Self.rows, span: span, lost: 0)
    for tenth in 0...350 { stepped.move(to: Self.start + UInt64(tenth) * Self.second / 10) }
    var jumped = TopReplay(Self.rows, span: span, lost: 0)
    jumped.move(to: .max)
    let (a, b) = (stepped.board(), jumped.board())
    #expect(a.perSecond == b.perSecond && a.counts == b.counts)
    #expect(a.perSecond.count == 36 && a.perSecond.last == 1 && a.perSecond[34] == 2 && a.perSecond[0] == 2)
    #expect(a.counts[Int(TCPState.closeWait.number)][20] == 3)
  }
}
