// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent
import TCPStateCore
import TestSupport
import Testing

/// The queue between the ring buffer and the tracker, filled as several CPUs would fill it.
@Suite struct EventQueueTests {
  private let queue = EventQueue()
  private let arena = RecordArena()

  private func event(
    at time: UInt64, socket: UInt64 = 1, _ old: TCPState = .established, _ new: TCPState = .closeWait
  ) -> tcpstate_event {
    var event = EventBuilder.transition(old, new)
    event.timestamp_ns = time
    event.socket_address = socket
    event.cookie = socket
    event.peer_port = 443
    return event
  }

  /// The times of all events up to `limit`, as they are handed on.
  private func times(until limit: UInt64) -> [UInt64] {
    var times: [UInt64] = []
    while let event = queue.next(until: limit) { times.append(event.pointee.timestamp_ns) }
    return times
  }

  @Test func neighboursAreSwappedBack() {
    for time in [10, 12, 11, 14, 13] as [UInt64] { arena.append(event(at: time), to: queue) }
    #expect(times(until: 12) == [10, 11, 12], "nothing newer than the limit")
    #expect(times(until: 12).isEmpty)
    #expect(times(until: .max) == [13, 14])
  }

  /// They are one CPU's, in the order in which it recorded them.
  @Test func equalTimesKeepTheirOrder() {
    for socket in 1...5 as ClosedRange<UInt64> { arena.append(event(at: 7, socket: socket), to: queue) }
    var sockets: [UInt64] = []
    while let event = queue.next(until: 7) { sockets.append(event.pointee.cookie) }
    #expect(sockets == [1, 2, 3, 4, 5])
  }

  /// Each CPU is late by less than the time for which the reader holds events back; they still come out in order.
  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func cpusAreMerged(seed: UInt64) {
    let window: UInt64 = 1_000_000
    var random = SeededGenerator(seed: seed)
    var arrivals: [(at: UInt64, event: tcpstate_event)] = []
    for cpu in 1...4 as ClosedRange<UInt64> {
      var (time, arrival) = (window, window)
      for _ in 0..<500 {
        time += UInt64.random(in: 0..<20_000, using: &random)
        arrival = max(arrival, time + UInt64.random(in: 0..<window, using: &random))
        // On one CPU they are recorded one after the other.
        if arrival >= time + window { time = arrival - window + 1 }
        arrivals.append((arrival, event(at: time, socket: cpu)))
      }
    }
    arrivals.sort { $0.at < $1.at }
    var seen: [UInt64] = []
    for (now, event) in arrivals {
      seen += times(until: now - window)
      arena.append(event, to: queue)
    }
    #expect(seen.count > 1500, "most are handed on before the end")
    seen += times(until: .max)
    #expect(seen == arrivals.map(\.event.timestamp_ns).sorted())
  }

  /// Entries move to the front when they reach the end, so there is always as much room as the queue says.
  @Test func roomIsUsedAgain() {
    var next: UInt64 = 0
    var seen: UInt64 = 0
    for _ in 0..<5 {
      while queue.room > 0 {
        arena.append(event(at: next), to: queue)
        next += 1
      }
      for time in times(until: seen + 3000) {
        #expect(time == seen)
        seen += 1
      }
      #expect(queue.room == EventQueue.capacity - Int(next - seen))
    }
    #expect(times(until: .max) == Array(seen..<next))
    #expect(queue.room == EventQueue.capacity)
  }

  /// Memory can be released up to the first record that is still needed, which needn't hold the oldest event.
  @Test func oldestPosition() {
    #expect(queue.oldestPosition == nil)
    for time in [5, 3, 4] as [UInt64] { arena.append(event(at: time), to: queue) }
    #expect(queue.oldestPosition == 0)
    #expect(times(until: 4) == [3, 4])
    #expect(queue.oldestPosition == 0, "the first record has the newest event")
    arena.append(event(at: 6), to: queue)
    #expect(times(until: 5) == [5])
    #expect(queue.oldestPosition == RecordArena.position(of: 3))
    #expect(times(until: .max) == [6])
    #expect(queue.oldestPosition == nil)
  }

  @Test func peek() {
    for time in [2, 1, 3] as [UInt64] { arena.append(event(at: time), to: queue) }
    #expect(queue.peek(0)?.pointee.timestamp_ns == 1)
    #expect(queue.peek(2)?.pointee.timestamp_ns == 3)
    #expect(queue.peek(3) == nil)
    _ = queue.next(until: 1)
    #expect(queue.peek(0)?.pointee.timestamp_ns == 2)
    #expect(queue.peek(2) == nil)
  }

  @Test func undecodableRecordsAreCounted() {
    var foreign = event(at: 1)
    foreign.version = 200
    arena.append(foreign, to: queue)
    arena.append(event(at: 2), to: queue)
    var snapshot = event(at: 3)
    snapshot.kind = UInt8(TCPSTATE_KIND_SOCKET)
    arena.append(snapshot, to: queue)
    withUnsafeBytes(of: event(at: 4)) { queue.append(UnsafeRawBufferPointer(rebasing: $0[..<100]), at: 768) }
    #expect(queue.undecodable == 3)
    #expect(times(until: .max) == [2])
  }
}

// MARK: - Resets

extension EventQueueTests {
  private func reset(at time: UInt64, socket: UInt64, _ state: TCPState, _ reason: ResetReason) -> tcpstate_event {
    var reset = event(at: time, socket: socket, state, state)
    reset.kind = UInt8(TCPSTATE_KIND_RESET_SENT)
    reset.reset_reason = reason.rawValue
    return reset
  }

  /// A RST that we sent isn't an event of its own: the transition to CLOSED before it gets its reason.
  @Test func resetAmendsTheEnding() throws {
    let ending = arena.append(event(at: 10, socket: 1, .established, .closed), to: queue)
    arena.append(event(at: 10, socket: 2, .established, .closed), to: queue)
    arena.append(reset(at: 11, socket: 1, .closed, .tcpAbortOnLinger), to: queue)
    let first = try #require(queue.next(until: 20))
    #expect(first.pointee.cookie == 1 && EventRecord(first).has(TCPSTATE_FLAG_RESET_SENT))
    #expect(EventRecord(first).resetReason == .tcpAbortOnLinger)
    #expect(ending.pointee.flags == 0 && ending.pointee.reset_reason == 0, "the ring buffer's record is left alone")
    let second = try #require(queue.next(until: 20))
    #expect(second.pointee.cookie == 2 && EventRecord(second).resetReason == nil)
    #expect(queue.next(until: .max) == nil)
  }

  /// The record's count of timeouts and its backoff have bytes of their own, which a reset doesn't change.
  @Test func resetKeepsTheBackoff() throws {
    var ending = event(at: 10, socket: 1, .established, .closed)
    (ending.timeouts, ending.backoff) = (7, 5)
    arena.append(ending, to: queue)
    arena.append(reset(at: 11, socket: 1, .closed, .tcpAbortOnData), to: queue)
    let amended = try #require(queue.next(until: 20)).pointee
    #expect(amended.timeouts == 7 && amended.backoff == 5)
    #expect(amended.reset_reason == ResetReason.tcpAbortOnData.rawValue)
  }

  @Test func resetOfAMinisockIsAnEvent() throws {
    arena.append(reset(at: 11, socket: 1, .timeWait, .tcpTimewaitSocket), to: queue)
    let event = try #require(queue.next(until: 11))
    #expect(EventRecord(event).isMinisock && EventRecord(event).resetReason == .tcpTimewaitSocket)
  }

  /// The address may have belonged to another socket before.
  @Test func resetAmendsTheLatestEnding() throws {
    for time in [1, 5] as [UInt64] { arena.append(event(at: time, socket: 1, .lastAck, .closed), to: queue) }
    arena.append(reset(at: 6, socket: 1, .closed, .tcpAbortOnClose), to: queue)
    #expect(EventRecord(try #require(queue.next(until: 9))).resetReason == nil)
    #expect(EventRecord(try #require(queue.next(until: 9))).resetReason == .tcpAbortOnClose)
  }

  @Test func resetWithoutAnEndingIsDropped() {
    arena.append(event(at: 1, socket: 1, .established, .closed), to: queue)
    #expect(times(until: 1) == [1])
    arena.append(reset(at: 2, socket: 1, .closed, .tcpAbortOnLinger), to: queue)
    arena.append(event(at: 3, socket: 1, .closed, .synSent), to: queue)
    arena.append(reset(at: 4, socket: 2, .closed, .tcpAbortOnLinger), to: queue)
    #expect(times(until: .max) == [3])
    #expect(queue.undecodable == 0)
  }
}

// MARK: - Children

extension EventQueueTests {
  /// As before Linux 6.15: the listener's fields, but the child's address.
  private func born(at time: UInt64, _ socket: UInt64) -> tcpstate_event {
    var event = event(at: time, socket: socket, .listen, .synReceived)
    event.cookie = 999
    event.local_port = 80
    event.peer_port = 0
    return event
  }

  private func established(at time: UInt64, _ socket: UInt64) -> tcpstate_event {
    var event = event(at: time, socket: socket, .synReceived, .established)
    event.local_port = 80
    event.peer_port = UInt16(socket)
    EventBuilder.set(IPAddress(v4: UInt32(socket)), at: \.peer_address, of: &event)
    EventBuilder.set(IPAddress(v4: 0x7f00_0001), at: \.local_address, of: &event)
    return event
  }

  @Test func childGetsItsOwnFields() throws {
    let first = arena.append(born(at: 10, 5), to: queue)
    #expect(queue.next(until: 1000) == nil, "it waits for the second")
    arena.append(established(at: 30, 5), to: queue)
    let child = EventRecord(try #require(queue.next(until: 1000)))
    #expect(child.old == .listen && child.new == .synReceived && child.event.pointee.timestamp_ns == 10)
    #expect(child.key == 5)
    #expect(child.peer == Endpoint(address: IPAddress(v4: 5), port: 5))
    #expect(child.local == Endpoint(address: IPAddress(v4: 0x7f00_0001), port: 80))
    #expect(first.pointee.cookie == 999, "the ring buffer's record is left alone")
    #expect(times(until: 1000) == [30])
  }

  /// From Linux 6.15 on the first event is complete.
  @Test func completeChildDoesNotWait() {
    arena.append(event(at: 10, socket: 5, .listen, .synReceived), to: queue)
    #expect(times(until: 10) == [10])
  }

  /// The children of two CPUs, interleaved: each gets its own fields.
  @Test func childrenAreNotConfused() throws {
    for event in [born(at: 10, 5), born(at: 11, 6), established(at: 29, 6), established(at: 30, 5)] {
      arena.append(event, to: queue)
    }
    var records: [(UInt64, UInt16)] = []
    while let event = queue.next(until: 1000) { records.append((event.pointee.cookie, event.pointee.peer_port)) }
    #expect(records.map(\.0) == [5, 6, 6, 5])
    #expect(records.map(\.1) == [5, 6, 6, 5])
  }

  /// Newer events wait with a child's first event; older ones don't.
  @Test func childHoldsUpWhatFollows() {
    arena.append(born(at: 10, 5), to: queue)
    arena.append(event(at: 12, socket: 1), to: queue)
    arena.append(event(at: 9, socket: 2), to: queue)
    #expect(times(until: 1000) == [9])
    arena.append(established(at: 30, 5), to: queue)
    #expect(times(until: 1000) == [10, 12, 30])
  }

  /// If the second event never comes, the first is handed on as it is.
  @Test func patienceEnds() throws {
    arena.append(born(at: 10, 5), to: queue)
    arena.append(event(at: 12, socket: 1), to: queue)
    #expect(queue.next(until: 10 + EventQueue.patience) == nil)
    let child = try #require(queue.next(until: 11 + EventQueue.patience))
    #expect(child.pointee.peer_port == 0 && child.pointee.cookie == 999)
    #expect(times(until: 12) == [12])
    // A second event that comes too late completes nothing, and the next child waits again.
    arena.append(established(at: 20, 5), to: queue)
    arena.append(born(at: 40, 6), to: queue)
    #expect(times(until: 1000) == [20])
    arena.append(established(at: 60, 6), to: queue)
    #expect(times(until: 1000) == [40, 60])
  }

  /// The reset of a half-open child is its second event too.
  @Test func childIsReset() throws {
    arena.append(born(at: 10, 5), to: queue)
    var end = established(at: 15, 5)
    end.state_new = TCPState.closed.number
    arena.append(end, to: queue)
    #expect(EventRecord(try #require(queue.next(until: 20))).key == 5)
    #expect(times(until: 20) == [15])
  }
}
