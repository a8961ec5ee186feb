// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent
import TCPStateCore
import Testing

/// What a socket waits for, by its queues, windows and timers.
@Suite struct StuckCauseTests {
  private static func cause(
    _ state: TCPState, kind: Int32 = TCPSTATE_KIND_SOCKET, flags: Int32 = TCPSTATE_FLAG_HAS_SOCKET | TCPSTATE_FLAG_DONE,
    _ listeners: [tcpstate_snapshot] = [], held: Bool = true, _ change: (inout tcpstate_snapshot) -> Void = { _ in }
  ) -> StuckCause? {
    var record = tcpstate_snapshot()
    record.event = EventBuilder.transition(state, state, flags: flags)
    record.event.kind = UInt8(kind)
    record.event.cookie = 1
    record.event.local_port = 80
    record.event.owner_pid = held ? 7 : 0
    record.fd = held ? 3 : TCPSTATE_NO_FD
    record.jiffies = 10_000
    record.event.send_window = 1000
    // All sent and acknowledged; the FIN has been received.
    (record.event.write_sequence, record.event.send_next, record.event.send_unacknowledged) = (500, 500, 500)
    (record.event.receive_next, record.event.copied_sequence) = (901, 901)
    change(&record)
    var survey = StuckSurvey(StuckQuery(states: [state], olderThan: 0))
    survey.ticksPerSecond = 100
    for var record in [record] + listeners { survey.add(&record) }
    return survey.finish().sockets.first?.cause
  }

  @Test func closeWait() {
    #expect(Self.cause(.closeWait) == .notClosed)
    #expect(Self.cause(.closeWait) { $0.event.copied_sequence = 900 } == .notReading, "not even the end of the stream")
    #expect(Self.cause(.closeWait) { $0.event.copied_sequence = 800 } == .notReading)
    #expect(Self.cause(.closeWait) { $0.event.send_unacknowledged = 400 } == .sending)
    #expect(Self.cause(.closeWait) { $0.event.write_sequence = 600 } == .sending)
    #expect(Self.cause(.closeWait) { ($0.event.send_unacknowledged, $0.event.timeouts) = (400, 2) } == .unanswered)
    #expect(Self.cause(.closeWait) { $0.probes = 1 } == .probeUnanswered)
    #expect(
      Self.cause(.closeWait) { ($0.event.write_sequence, $0.event.send_window) = (600, 0) } == .windowShut)
    #expect(
      Self.cause(.closeWait) { ($0.event.write_sequence, $0.pending_timer) = (600, UInt8(TCPSTATE_TIMER_PROBE)) }
        == .windowShut)
    // It reads neither: what it could do first is send.
    #expect(
      Self.cause(.closeWait) { record in
        (record.event.write_sequence, record.event.send_window, record.event.copied_sequence) = (600, 0, 800)
      } == .windowShut)
    #expect(
      Self.cause(.closeWait) { record in
        (record.event.write_sequence, record.event.send_window, record.probes) = (600, 0, 2)
      } == .probeUnanswered)
  }

  @Test func established() {
    func cause(_ change: (inout tcpstate_snapshot) -> Void = { _ in }) -> StuckCause? {
      Self.cause(.established, flags: TCPSTATE_FLAG_HAS_SOCKET, [], change)
    }
    #expect(cause() == .idle)
    #expect(cause { $0.event.copied_sequence = 800 } == .notReading)
    #expect(cause { $0.event.send_unacknowledged = 499 } == .sending)
    #expect(cause { $0.event.send_window = 0 } == .idle, "nothing waits for it")
  }

  @Test func finWait2() {
    #expect(Self.cause(.finWait2, flags: TCPSTATE_FLAG_HAS_SOCKET) == .peerNotClosed)
    #expect(Self.cause(.finWait2, flags: TCPSTATE_FLAG_HAS_SOCKET) { $0.event.copied_sequence = 800 } == .notReading)
    #expect(Self.cause(.finWait2, kind: TCPSTATE_KIND_TIMEWAIT, held: false) == .peerNotClosed)
  }

  @Test(arguments: [TCPState.finWait1, .lastAck, .closing]) func afterClose(_ state: TCPState) {
    let orphan = TCPSTATE_FLAG_DEAD
    func cause(_ change: (inout tcpstate_snapshot) -> Void) -> StuckCause? {
      Self.cause(state, flags: orphan, [], held: false, change)
    }
    #expect(cause { $0.event.send_unacknowledged = 499 } == .unanswered)
    #expect(cause { ($0.event.write_sequence, $0.event.send_unacknowledged) = (700, 400) } == .finUnsent)
    #expect(
      cause { record in
        (record.event.write_sequence, record.event.send_unacknowledged, record.event.timeouts) = (700, 400, 1)
      } == .unanswered)
    // Payload waits, or only the FIN.
    #expect(cause { ($0.event.write_sequence, $0.event.send_window) = (700, 0) } == .windowShut)
    #expect(cause { ($0.event.write_sequence, $0.event.send_window) = (501, 0) } == .windowShut)
    #expect(
      cause { ($0.event.write_sequence, $0.pending_timer) = (501, UInt8(TCPSTATE_TIMER_PROBE)) } == .windowShut)
    #expect(cause { ($0.event.write_sequence, $0.event.send_window, $0.probes) = (501, 0, 3) } == .probeUnanswered)
  }

  @Test func handshakes() {
    var listener = tcpstate_snapshot()
    listener.event = EventBuilder.transition(.listen, .listen, flags: TCPSTATE_FLAG_HAS_SOCKET)
    listener.event.kind = UInt8(TCPSTATE_KIND_SOCKET)
    listener.event.cookie = 2
    listener.event.local_port = 80
    (listener.fd, listener.event.owner_pid) = (4, 9)
    var deferring = listener
    deferring.defer_accept = 5
    func request(_ listener: tcpstate_snapshot, _ details: Int32) -> StuckCause? {
      Self.cause(.synReceived, kind: TCPSTATE_KIND_REQUEST, [listener], held: false) { $0.details = UInt16(details) }
    }
    #expect(request(listener, 0) == .handshake)
    #expect(request(deferring, 0) == .handshake, "the client may be gone all the same")
    #expect(request(deferring, TCPSTATE_DETAIL_ACKED) == .awaitsData)
    #expect(request(listener, TCPSTATE_DETAIL_ACKED) == .queueFull)
    #expect(Self.cause(.synSent) == .unanswered)
    #expect(Self.cause(.established, flags: 0, held: false) == .notAccepted)
    #expect(Self.cause(.timeWait, kind: TCPSTATE_KIND_TIMEWAIT, held: false) == nil)
  }

  /// SYN-ACKs that weren't sent again don't count.
  @Test func retransmissionsOfSYNACKs() {
    var record = tcpstate_snapshot()
    record.event = EventBuilder.transition(.synReceived, .synReceived)
    record.event.kind = UInt8(TCPSTATE_KIND_REQUEST)
    record.event.cookie = 1
    record.fd = TCPSTATE_NO_FD
    (record.syn_ack_timeouts, record.event.retransmits) = (3, 1)
    var survey = StuckSurvey(StuckQuery(states: [.synReceived], olderThan: 0))
    survey.add(&record)
    #expect(survey.finish().sockets.map(\.timeouts) == [1])
  }

  /// How long, where the kernel says so.
  @Test func times() throws {
    var record = tcpstate_snapshot()
    record.event = EventBuilder.transition(.established, .established, flags: TCPSTATE_FLAG_HAS_SOCKET)
    record.event.kind = UInt8(TCPSTATE_KIND_SOCKET)
    record.event.cookie = 1
    record.fd = 3
    record.jiffies = 10_000
    record.last_data_received_jiffies = 9_000
    record.probing_since_jiffies = 9_500
    record.details = UInt16(TCPSTATE_DETAIL_KEEPALIVE)
    record.probes = 2
    func read() throws -> StuckSocket {
      var survey = StuckSurvey(StuckQuery(states: [.established], olderThan: 0))
      survey.ticksPerSecond = 100
      survey.add(&record)
      return try #require(survey.finish().sockets.first)
    }
    var socket = try read()
    #expect(socket.silence == 10_000_000_000 && socket.hasKeepalive == true && socket.probes == 2)
    #expect(socket.windowShut == nil, "those were keepalive probes")
    record.pending_timer = UInt8(TCPSTATE_TIMER_PROBE)
    socket = try read()
    #expect(socket.windowShut == 5_000_000_000)
    // The kernel's times have 32 bits, of which half lie in the past, and 0 is never.
    for (ticks, silence) in [(0, 0), (1 << 31 - 1, 21_474_836_470_000_000), (1 << 31, nil)] as [(UInt32, UInt64?)] {
      record.last_data_received_jiffies = UInt32(record.jiffies) &- ticks
      #expect(try read().silence == silence)
    }
    record.last_data_received_jiffies = 0
    #expect(try read().silence == nil)
  }

  @Test func namesAreWords() {
    let names = StuckCause.allCases.map(\.name.description)
    #expect(Set(names).count == names.count)
    #expect(names.allSatisfy { $0.allSatisfy { $0.isLowercase || $0 == "_" } })
  }
}
