// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent
import TCPStateCore
import Testing

@Suite struct StuckSurveyTests {
  /// A record of a socket at 10.0.0.5:80 as of 1000 s after boot, HZ=100.
  private static func record(
    _ cookie: UInt64, _ state: TCPState = .closeWait, kind: Int32 = TCPSTATE_KIND_SOCKET,
    holder: (pid: UInt32, name: String, fd: UInt32) = (0, "", TCPSTATE_NO_FD),
    flags: Int32 = TCPSTATE_FLAG_HAS_SOCKET, ageTicks: UInt32 = 10_001
  ) -> tcpstate_snapshot {
    var record = tcpstate_snapshot()
    record.event = EventBuilder.transition(state, state, flags: flags)
    record.event.kind = UInt8(kind)
    record.event.cookie = cookie
    record.event.timestamp_ns = 1_000_000_000_000
    record.event.netns = 7
    EventBuilder.set(IPAddress(v4: 0x0a00_0005), at: \.local_address, of: &record.event)
    EventBuilder.set(IPAddress(v4: 0x0a00_0009), at: \.peer_address, of: &record.event)
    record.event.local_port = 80
    record.event.peer_port = UInt16(40_000 + cookie)
    record.event.owner_pid = holder.pid
    EventBuilder.set(ShortName(holder.name), at: \.owner_name, of: &record.event)
    record.fd = holder.fd
    record.jiffies = 4_295_000_000
    record.last_acked_jiffies = UInt32(truncatingIfNeeded: record.jiffies) &- ageTicks
    return record
  }

  private static func listener(_ cookie: UInt64, any: Bool, queue: UInt32, pid: UInt32, half: UInt32 = 0)
    -> tcpstate_snapshot
  {
    var record = record(cookie, .listen, holder: (pid, "gunicorn", 5))
    if any { EventBuilder.set(IPAddress(v4: 0), at: \.local_address, of: &record.event) }
    EventBuilder.set(IPAddress(v4: 0), at: \.peer_address, of: &record.event)
    record.event.peer_port = 0
    record.accept_queue = queue
    record.accept_queue_limit = 128
    record.request_queue = half
    return record
  }

  private static func read(_ records: [tcpstate_snapshot], _ query: StuckQuery = StuckQuery()) -> StuckReading {
    var survey = StuckSurvey(query)
    survey.ticksPerSecond = 100
    for var record in records { survey.add(&record) }
    return survey.finish(supplies: [7: PortSupply(range: 32_768...60_999)])
  }

  /// Without cookies, sockets are identified by address and reported with the ids that the tracker has given them.
  @Test func standInIDs() {
    var query = StuckQuery()
    query.connection = 1001
    var survey = StuckSurvey(query)
    survey.ticksPerSecond = 100
    for address: UInt64 in [0xffff_0001, 0xffff_0002] {
      var record = Self.record(0, flags: TCPSTATE_FLAG_DEAD)
      record.event.socket_address = address
      survey.add(&record) { $0 == 0xffff_0002 ? 1001 : $0 }
    }
    let reading = survey.finish { SocketHolder(pid: UInt32($0 & 0xff), name: ShortName("a"), descriptor: nil) }
    #expect(reading.sockets.map(\.connection) == [1001])
    #expect(reading.sockets.map(\.maker?.pid) == [2])
  }

  @Test func verdicts() throws {
    let reading = Self.read([
      Self.record(1, holder: (812, "nginx", 14)), Self.record(1, holder: (812, "nginx", 15)),
      Self.record(2, holder: (10, "a", 3)), Self.record(2, holder: (9, "b", 4)),
      Self.record(3, flags: 0), Self.record(4, flags: TCPSTATE_FLAG_DEAD), Self.record(5),
      // Again from the tables, without descriptors.
      Self.record(1), Self.record(2),
    ])
    #expect(reading.sockets.map(\.verdict) == [.held, .shared, .unaccepted, .orphan, .unseen])
    #expect(reading.sockets[0].holders.map(\.descriptor) == [14, 15])
    #expect(reading.sockets[0].processes.count == 1)
    #expect(reading.sockets[1].holders.map(\.pid) == [9, 10])
    #expect(reading.sockets[0].age == Stay(nanoseconds: 100_000_000_000, kind: .atLeast))
  }

  @Test func ageDecides() {
    var young = Self.record(2, ageTicks: 5_000)
    young.last_data_received_jiffies = UInt32(truncatingIfNeeded: young.jiffies) &- 5_998
    let records = [
      Self.record(1, ageTicks: 6_001), young, Self.record(3, ageTicks: 90_000), Self.record(4, .established),
    ]
    let reading = Self.read(records)
    #expect(reading.sockets.map(\.connection) == [3, 1])
    #expect(reading.younger == 1 && reading.uncertainCount == 0 && reading.findsTrouble(StuckQuery()))
  }

  /// A socket that may be old enough is reported, whatever else is, and makes the answer a bad one.
  @Test func uncertainAges() {
    var renewed = Self.record(1, ageTicks: 100)
    renewed.last_data_received_jiffies = UInt32(truncatingIfNeeded: renewed.jiffies) &- 6_000
    let unknown = Self.record(2, ageTicks: 5_999)
    let old = Self.record(3, ageTicks: 9_000)
    let alone = Self.read([renewed, unknown])
    #expect(alone.sockets.isEmpty && alone.younger == 0)
    #expect(alone.uncertain.map(\.connection) == [2, 1], "the one that is certainly older comes first")
    #expect(alone.uncertain.map(\.atMost) == [nil, 60_010_000_000])
    #expect(alone.findsTrouble(StuckQuery()))
    let together = Self.read([old, renewed, unknown])
    #expect(together.sockets.map(\.connection) == [3] && together.uncertain.count == 2)
    #expect(together.listed.map(\.connection) == [3, 2, 1])
    // With no age asked for, all are certain.
    let all = Self.read([renewed, unknown], StuckQuery(olderThan: 0))
    #expect(all.sockets.count == 2 && all.uncertainCount == 0)
    #expect(Self.read([renewed], StuckQuery(olderThan: 60_010_000_001)).younger == 1)
    #expect(Self.read([renewed], StuckQuery(olderThan: 60_010_000_000)).uncertain.count == 1)
  }

  /// Where a state is meant to last, sockets of uncertain age are counted without being listed.
  @Test func lastingStates() {
    let query = StuckQuery(states: [.established, .listen])
    let reading = Self.read(
      [Self.record(1, .established, ageTicks: 10), Self.listener(2, any: true, queue: 0, pid: 1)], query)
    #expect(reading.listed.isEmpty && reading.unlisted == 2 && reading.findsTrouble(query))
  }

  /// TIME-WAIT is as it should be, unless there are no ports left or it is older than was asked for.
  @Test func timeWaitIsNoTrouble() {
    func timeWait(_ cookie: UInt64, port: UInt16) -> tcpstate_snapshot {
      var record = Self.record(cookie, .timeWait, kind: TCPSTATE_KIND_TIMEWAIT, flags: TCPSTATE_FLAG_HAS_ENTRY_STAMP)
      record.entry_stamp_ms = 1_000_000 - 30_000
      (record.event.local_port, record.event.peer_port) = (port, 443)
      return record
    }
    func trouble(_ ports: ClosedRange<UInt16>, _ query: StuckQuery, _ more: [tcpstate_snapshot] = []) -> Bool {
      var survey = StuckSurvey(query)
      survey.ticksPerSecond = 100
      for var record in [timeWait(1, port: 40_000), timeWait(2, port: 40_001)] + more { survey.add(&record) }
      return survey.finish(supplies: [7: PortSupply(range: ports)]).findsTrouble(query)
    }
    let usual = StuckQuery(states: [.timeWait], olderThan: 0)
    #expect(!trouble(40_000...40_009, usual))
    #expect(trouble(40_000...40_001, usual))
    #expect(!trouble(40_000...40_009, StuckQuery(states: [.timeWait], olderThan: 31_000_000_000)))
    #expect(trouble(40_000...40_009, StuckQuery(states: [.timeWait], olderThan: 30_000_000_000)))
    #expect(
      trouble(40_000...40_001, StuckQuery(states: [.timeWait], olderThan: 31_000_000_000)), "however old they are")
    let both = StuckQuery(states: [.timeWait, .closeWait], olderThan: 0)
    #expect(!trouble(40_000...40_009, both) && trouble(40_000...40_009, both, [Self.record(3, holder: (1, "a", 3))]))
  }

  /// Ports that bind() has taken aren't left for connect(), whatever state the socket is in that has one.
  @Test func boundPorts() throws {
    func record(_ cookie: UInt64, _ state: TCPState, _ kind: Int32 = TCPSTATE_KIND_SOCKET, port: UInt16)
      -> tcpstate_snapshot
    {
      var record = Self.record(cookie, state, kind: kind)
      (record.event.local_port, record.event.peer_port) = (port, 443)
      return record
    }
    var bound = [
      record(2, .closed, port: 32_768), record(3, .established, port: 32_769), record(4, .listen, port: 32_770),
      record(5, .timeWait, TCPSTATE_KIND_TIMEWAIT, port: 32_771), record(6, .closed, port: 80),
    ]
    for index in bound.indices { bound[index].details = UInt16(TCPSTATE_DETAIL_BOUND) }
    let chosen = record(1, .timeWait, TCPSTATE_KIND_TIMEWAIT, port: 40_000)
    let reading = Self.read(bound + [chosen], StuckQuery(states: [.timeWait], olderThan: 0))
    #expect(reading.timeWait.count == 1, "a port that only bind() was called for is no connection")
    let group = try #require(reading.timeWait.first)
    // 28,232 ports, less the two that others have; those of the same ends are theirs.
    #expect(group.count == 2 && group.others == 1 && group.used == 3 && group.ports == 28_230)
  }

  /// A server may listen on a port of the ephemeral range.
  @Test func listenersInTheEphemeralRange() throws {
    var served = Self.record(1, .timeWait, kind: TCPSTATE_KIND_TIMEWAIT)
    (served.event.local_port, served.event.peer_port) = (40_000, 50_000)
    var listener = Self.listener(20, any: true, queue: 0, pid: 100)
    listener.event.local_port = 40_000
    let reading = Self.read([served, listener], StuckQuery(states: [.timeWait], olderThan: 0))
    #expect(try #require(reading.timeWait.first).connected == false)
    #expect(
      try #require(Self.read([served], StuckQuery(states: [.timeWait], olderThan: 0)).timeWait.first).connected == true)
  }

  /// Closed, but a system call on it hasn't returned.
  @Test func closingSockets() {
    func verdict(_ details: Int32, seesAll: Bool = true, flags: Int32 = TCPSTATE_FLAG_HAS_SOCKET) -> Verdict? {
      var survey = StuckSurvey(StuckQuery(olderThan: 0))
      survey.seesAllProcesses = seesAll
      var record = Self.record(1, flags: flags)
      record.details = UInt16(details)
      survey.add(&record)
      return survey.finish().sockets.first?.verdict
    }
    #expect(verdict(0) == .unseen)
    #expect(verdict(TCPSTATE_DETAIL_RELEASED) == .closing)
    #expect(verdict(TCPSTATE_DETAIL_AWAITED) == .closing)
    #expect(verdict(TCPSTATE_DETAIL_AWAITED, seesAll: false) == .unseen, "who waits may have a descriptor")
    #expect(verdict(TCPSTATE_DETAIL_RELEASED, seesAll: false) == .closing)
    #expect(verdict(TCPSTATE_DETAIL_AWAITED, flags: TCPSTATE_FLAG_DEAD) == .orphan)
    #expect(verdict(TCPSTATE_DETAIL_AWAITED, flags: 0) == .unaccepted)
  }

  /// The owners of the listeners in whose queue a socket may be.
  private static func owners(_ socket: tcpstate_snapshot, _ listeners: [tcpstate_snapshot]) throws -> [UInt32] {
    let query = StuckQuery(states: [TCPState(number: socket.event.state_new)], olderThan: 0)
    let found = try #require(read([socket] + listeners, query).sockets.first)
    return found.listeners.flatMap { $0.holders.map(\.pid) }
  }

  /// A listener bound to the address takes precedence, and one with an empty queue can't be it.
  @Test func listeners() throws {
    func owners(_ listeners: [tcpstate_snapshot]) throws -> [UInt32] {
      try Self.owners(Self.record(1, flags: 0), listeners)
    }
    #expect(
      try owners([
        Self.listener(20, any: true, queue: 3, pid: 100), Self.listener(21, any: false, queue: 1, pid: 200),
      ]) == [200])
    #expect(try owners([Self.listener(20, any: true, queue: 3, pid: 100)]) == [100])
    #expect(
      try owners([
        Self.listener(20, any: true, queue: 0, pid: 100), Self.listener(21, any: true, queue: 2, pid: 200),
      ]) == [200])
    #expect(try owners([]).isEmpty)
    var elsewhere = Self.listener(20, any: true, queue: 3, pid: 100)
    elsewhere.event.netns = 8
    #expect(try owners([elsewhere]).isEmpty)
  }

  /// All listeners are found, whatever is looked for.
  @Test func allListeners() {
    var survey = StuckSurvey(StuckQuery(states: [.lastAck]))
    for var record in [Self.listener(20, any: true, queue: 3, pid: 100, half: 2), Self.record(1)] { survey.add(&record) }
    #expect(survey.listeners.map(\.acceptQueue) == [3] && survey.listeners.map(\.requestQueue) == [2])
    #expect(survey.listeners.first?.holders.map(\.pid) == [100])
    #expect(survey.finish().sockets.isEmpty)
  }

  /// A half-open request waits in the queue of requests, an unaccepted connection in the accept queue.
  @Test func eachVerdictHasItsQueue() throws {
    let request = Self.record(1, .synReceived, kind: TCPSTATE_KIND_REQUEST, flags: 0)
    let child = Self.record(2, flags: 0)
    let accepting = Self.listener(20, any: true, queue: 3, pid: 100)
    let asked = Self.listener(21, any: true, queue: 0, pid: 200, half: 2)
    #expect(try Self.owners(request, [accepting, asked]) == [200])
    #expect(try Self.owners(child, [accepting, asked]) == [100])
    // If no queue has one, all may be it.
    let empty = [Self.listener(22, any: true, queue: 0, pid: 300), Self.listener(23, any: true, queue: 0, pid: 400)]
    #expect(try Self.owners(request, empty) == [300, 400])
    #expect(try Self.owners(child, empty) == [300, 400])
    let found = try #require(
      Self.read([request, asked], StuckQuery(states: [.synReceived], olderThan: 0)).sockets.first)
    #expect(found.verdict == .halfOpen && found.listeners.map(\.requestQueue) == [2])
  }

  /// The states to read: the wanted ones, listeners, and half-open requests by the kernel's own number.
  @Test(
    arguments: [
      ([.closeWait], [8, 10]), ([.synReceived], [3, 10, 12]), ([.established, .listen], [1, 10]), ([], [10]),
      ([.timeWait], Array(0..<32)), ([.timeWait, .closeWait], Array(0..<32)), ([TCPState(number: 32)], [10]),
    ] as [([TCPState], [UInt32])])
  func readingMask(_ states: [TCPState], _ numbers: [UInt32]) {
    let mask = StuckSurvey.readingMask(StuckQuery(states: Set(states)))
    #expect((0..<32).filter { mask >> $0 & 1 == 1 } == numbers)
  }

  @Test func filters() {
    let records = [
      Self.record(1, holder: (812, "nginx", 14)), Self.record(2, holder: (9, "b", 4)),
      Self.record(3, flags: 0), Self.listener(20, any: true, queue: 3, pid: 100),
    ]
    func found(_ change: (inout RowFilter) -> Void) -> [UInt64] {
      var query = StuckQuery()
      change(&query.filter)
      return Self.read(records, query).sockets.map(\.connection)
    }
    #expect(found { $0.pids = [9] } == [2])
    #expect(found { $0.processes = [ShortName("nginx")] } == [1])
    #expect(found { $0.pids = [100] } == [3])
    #expect(found { $0.family = 6 }.isEmpty)
    #expect(found { $0.netns = 8 }.isEmpty)
    #expect(found { $0.peerNetworks = [Network(parsing: "10.0.0.9")].compactMap { $0 } } == [1, 2, 3])
  }

  /// Three timeouts, the last two of which doubled the RTO of 1 s, and 1 s into the present 4 s.
  @Test(arguments: [TCPState.synSent, .finWait1, .lastAck]) func timeoutsShowAges(_ state: TCPState) {
    var record = Self.record(1, state, holder: (1, "", 3))
    record.event.timeouts = 3
    record.event.backoff = 2
    record.event.rto_jiffies = 400
    record.event.write_sequence = 101
    record.event.send_unacknowledged = 100
    record.timer_expires = record.jiffies + 300
    // 1 + 1 + 2 + 1 s, minus one tick for each wait.
    #expect(SnapshotAge.least(&record, ticksPerSecond: 100) == 4_960_000_000)
    // Other data is outstanding, so the timeouts may be older than the state.
    record.event.write_sequence = 102
    #expect(SnapshotAge.least(&record, ticksPerSecond: 100) == 0)
    let reading = Self.read([record], StuckQuery(states: [state]))
    #expect(reading.sockets.isEmpty && reading.uncertain.count == 1)
    #expect(Self.read([record], StuckQuery(states: [state], olderThan: 0)).sockets.first?.age == nil)
  }

  @Test func timeWaitGroups() throws {
    func timeWait(_ cookie: UInt64, ageMilliseconds: UInt32, local: UInt16, peer: UInt16) -> tcpstate_snapshot {
      var record = Self.record(
        cookie, .timeWait, kind: TCPSTATE_KIND_TIMEWAIT, flags: TCPSTATE_FLAG_HAS_ENTRY_STAMP)
      record.entry_stamp_ms = 1_000_000 - ageMilliseconds
      record.event.local_port = local
      record.event.peer_port = peer
      return record
    }
    var open = Self.record(50, .established, holder: (1, "", 3))
    open.event.local_port = 50_000
    open.event.peer_port = 443
    let records =
      (0..<20).map {
        timeWait(100 + $0, ageMilliseconds: UInt32($0 * 1000 + 500), local: UInt16(40_000 + $0), peer: 443)
      }
      + [timeWait(200, ageMilliseconds: 30_000, local: 80, peer: 51_000), open]
    let reading = Self.read(records, StuckQuery(states: [.timeWait], olderThan: 0))
    #expect(reading.sockets.count == 21)
    #expect(reading.timeWait.count == 2)
    let client = reading.timeWait[0]
    #expect(client.local.port == 0 && client.peer.port == 443)
    #expect(client.count == 20 && client.others == 1 && client.ports == 28_232)
    #expect(client.oldest == 19_500_000_000 && client.perSecond == 1)
    #expect(client.forecast == .levelsOff(at: 61))
    let server = reading.timeWait[1]
    #expect(server.local.port == 80 && server.peer.port == 0 && server.ports == nil && server.forecast == nil)
  }

  @Test func processes() {
    let reading = Self.read([
      Self.record(1, holder: (812, "nginx", 14)), Self.record(2, holder: (812, "nginx", 15)),
      Self.record(3, flags: 0, ageTicks: 50_000), Self.listener(20, any: true, queue: 3, pid: 100),
    ])
    let groups = StuckGroup.groups(of: reading.listed, by: .process)
    #expect(groups.map(\.key) == [.processes([812]), .processes([100])])
    #expect(groups.map(\.count) == [2, 1])
    #expect(groups.map(\.verdicts) == [[.held: 2], [.unaccepted: 1]])
    #expect(groups[1].oldest?.connection == 3)
  }
}
