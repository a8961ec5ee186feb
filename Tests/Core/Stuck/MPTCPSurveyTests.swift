// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent
import TCPStateCore
import Testing

/// Records of MPTCP sockets, which processes hold, and of the TCP connections below them, which none does.
@Suite struct MPTCPSurveyTests {
  private static let above: UInt64 = 0xffff_8881_0000_0000

  /// The MPTCP socket, as a descriptor's record.
  private static func connection(
    _ state: TCPState, holder: (UInt32, String, UInt32) = (812, "server", 9), cookie: UInt64 = 100
  ) -> tcpstate_snapshot {
    var record = record(state, cookie: cookie, port: 40_000)
    record.event.kind = UInt8(TCPSTATE_KIND_MPTCP)
    record.event.socket_address = above
    record.event.owner_pid = holder.0
    EventBuilder.set(ShortName(holder.1), at: \.owner_name, of: &record.event)
    record.fd = holder.2
    return record
  }

  /// A TCP connection of the tables.
  private static func subflow(_ state: TCPState, cookie: UInt64, of address: UInt64 = above) -> tcpstate_snapshot {
    var record = record(state, cookie: cookie, port: 40_000 + UInt16(cookie))
    record.mptcp_socket = address
    return record
  }

  private static func record(_ state: TCPState, cookie: UInt64, port: UInt16) -> tcpstate_snapshot {
    var record = tcpstate_snapshot()
    record.event = EventBuilder.transition(state, state, flags: TCPSTATE_FLAG_HAS_SOCKET)
    record.event.kind = UInt8(TCPSTATE_KIND_SOCKET)
    record.event.cookie = cookie
    record.event.timestamp_ns = 1_000_000_000_000
    record.event.local_port = 80
    record.event.peer_port = port
    record.fd = TCPSTATE_NO_FD
    record.jiffies = 4_295_000_000
    record.last_acked_jiffies = UInt32(truncatingIfNeeded: record.jiffies) &- 10_001
    return record
  }

  private static func read(_ records: [tcpstate_snapshot], _ states: Set<TCPState> = [.closeWait]) -> StuckReading {
    var survey = StuckSurvey(StuckQuery(states: states))
    survey.ticksPerSecond = 100
    for var record in records { survey.add(&record) }
    return survey.finish()
  }

  /// The connection is in CLOSE-WAIT, while what carries it is ESTABLISHED.
  @Test func connectionAlone() throws {
    let reading = Self.read([
      Self.connection(.closeWait), Self.connection(.closeWait, holder: (812, "server", 10)),
      Self.subflow(.established, cookie: 1), Self.subflow(.established, cookie: 2),
    ])
    let found = try #require(reading.sockets.first)
    #expect(reading.sockets.count == 1)
    #expect(found.mptcp == .connection(subflows: 2) && found.verdict == .held && found.connection == 100)
    #expect(found.holders.map(\.descriptor) == [9, 10])
    #expect(found.age == Stay(nanoseconds: 100_000_000_000, kind: .atLeast))
    #expect(found.unreadBytes == nil && found.unsentBytes == nil && found.timeouts == nil)
  }

  @Test func subflowsHaveTheHolders() throws {
    let reading = Self.read([
      Self.connection(.established), Self.connection(.established, holder: (813, "other", 4)),
      Self.subflow(.closeWait, cookie: 1), Self.subflow(.closeWait, cookie: 2, of: 5),
    ])
    #expect(reading.sockets.map(\.mptcp) == [.subflow(of: 100), .subflow(of: nil)])
    #expect(reading.sockets.map(\.verdict) == [.shared, .unseen], "nobody holds what is above the second")
    #expect(reading.sockets[0].holders.map(\.pid) == [812, 813])
  }

  /// The TCP listener below an MPTCP one has its queue; the MPTCP one isn't a second listener.
  @Test func listener() throws {
    var listener = Self.subflow(.listen, cookie: 3)
    listener.event.peer_port = 0
    listener.accept_queue = 1
    listener.accept_queue_limit = 8
    var child = Self.record(.closeWait, cookie: 4, port: 50_000)
    child.event.flags = 0
    let found = try #require(Self.read([Self.connection(.listen), listener, child]).sockets.first)
    #expect(found.verdict == .unaccepted && found.mptcp == nil)
    #expect(found.listeners.map(\.acceptQueueLimit) == [8])
    #expect(found.responsible.map(\.pid) == [812])
  }

  /// Only an MPTCP connection that is wanted makes the tables be read for all states.
  @Test(arguments: [TCPState.closeWait, .established, .listen]) func wantsSubflows(_ state: TCPState) {
    var survey = StuckSurvey(StuckQuery())
    var tcp = Self.record(.closeWait, cookie: 1, port: 1)
    survey.add(&tcp)
    var record = Self.connection(state)
    survey.add(&record)
    let wants = survey.wantsSubflows
    #expect(wants == (state == .closeWait))
  }

  /// When its own FIN was sent, an MPTCP socket doesn't say.
  @Test(arguments: [TCPState.finWait1, .lastAck, .closing, .synSent, .timeWait]) func unknownAges(_ state: TCPState) {
    var record = Self.connection(state)
    #expect(SnapshotAge.least(&record, ticksPerSecond: 100) == 0)
  }

  // MARK: - While tracing

  private static func owners(_ records: [tcpstate_snapshot]) -> [UInt64: UInt32?] {
    var tracker = ConnectionTracker()
    var row = Transition()
    tracker.beginPass()
    for var record in records {
      #expect(!tracker.mustWait(&record) || record.event.kind != UInt8(TCPSTATE_KIND_MPTCP))
      _ = tracker.apply(&record, to: &row)
    }
    _ = tracker.endPass(startedAt: 0, minisocksOnly: false)
    var owners: [UInt64: UInt32?] = [:]
    tracker.forEachOpen(now: 1_000_000_000_001) { owners[$0.connection] = .some($0.ownerPID) }
    return owners
  }

  @Test func trackedOwners() {
    let owners = Self.owners([
      Self.connection(.established), Self.connection(.established, holder: (813, "other", 4)),
      Self.subflow(.established, cookie: 1), Self.subflow(.listen, cookie: 2),
      Self.subflow(.established, cookie: 3, of: 5),
    ])
    #expect(owners == [1: 812, 2: 812, 3: nil], "the MPTCP socket itself isn't tracked")
  }

  /// Of a process outside the tracer's PID namespace rows have the name, and no id.
  @Test func processesOutside() {
    var tracker = ConnectionTracker()
    var row = Transition()
    var event = EventBuilder.transition(.closed, .synSent, flags: TCPSTATE_FLAG_OWNED)
    event.cookie = 1
    event.timestamp_ns = 5
    event.owner_pid = 7 | TCPSTATE_PID_OUTSIDE
    event.actor_pid = event.owner_pid
    EventBuilder.set(ShortName("curl"), at: \.owner_name, of: &event)
    EventBuilder.set(ShortName("curl"), at: \.actor_name, of: &event)
    #expect(tracker.apply(&event, to: &row))
    #expect(row.ownerPID == nil && row.ownerName == ShortName("curl"))
    #expect(row.actorPID == nil && row.actorName == ShortName("curl"))
    #expect(tracker.owner(of: 1) == nil)
  }
}
