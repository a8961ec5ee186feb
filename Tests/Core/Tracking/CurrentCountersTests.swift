// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent
import TCPStateCore
import Testing

/// Counters change without an event, so those of the last transition aren't those of now.
@Suite struct CurrentCountersTests {
  private static let second: UInt64 = 1_000_000_000

  private static func established(_ tracker: inout ConnectionTracker) {
    for (old, new, time) in [(TCPState.closed, TCPState.synSent, 1), (.synSent, .established, 2)]
      as [(TCPState, TCPState, UInt64)]
    {
      var event = EventBuilder.transition(old, new, flags: TCPSTATE_FLAG_OWNED)
      event.cookie = 7
      event.timestamp_ns = time * second
      var row = Transition()
      withUnsafePointer(to: event) { _ = tracker.apply($0, to: &row) }
    }
  }

  private static func snapshot(_ state: TCPState, sent: UInt64) -> tcpstate_snapshot {
    var snapshot = tcpstate_snapshot()
    snapshot.event = EventBuilder.transition(state, state)
    snapshot.event.kind = UInt8(TCPSTATE_KIND_SOCKET)
    snapshot.event.cookie = 7
    snapshot.event.bytes_sent = sent
    snapshot.event.retransmits = 3
    snapshot.event.timestamp_ns = 10 * second
    return snapshot
  }

  private static func row(_ tracker: borrowing ConnectionTracker, at time: UInt64) -> Transition? {
    var found: Transition?
    tracker.forEachOpen(now: time) { found = copy $0 }
    return found
  }

  @Test func areUnknownUntilRead() {
    var tracker = ConnectionTracker()
    Self.established(&tracker)
    var row = Self.row(tracker, at: 9 * Self.second)
    #expect(row?.new == .established && row?.bytesSent == nil && row?.retransmits == nil, "not 0")

    withUnsafePointer(to: Self.snapshot(.established, sent: 7_900_000)) { tracker.recount($0) }
    tracker.countersHold(until: 12 * Self.second)
    row = Self.row(tracker, at: 11 * Self.second)
    #expect(row?.bytesSent == 7_900_000 && row?.retransmits == 3)
    row = Self.row(tracker, at: 13 * Self.second)
    #expect(row?.bytesSent == nil, "too old")
  }

  /// A reading of another state comes before or after an event that is still on its way.
  @Test func ofAnotherStateArentTaken() {
    var tracker = ConnectionTracker()
    Self.established(&tracker)
    withUnsafePointer(to: Self.snapshot(.closeWait, sent: 5)) { tracker.recount($0) }
    tracker.countersHold(until: 20 * Self.second)
    let row = Self.row(tracker, at: 11 * Self.second)
    #expect(row?.bytesSent == nil && row?.new == .established)
  }

  /// Nothing changes those of a minisock.
  @Test func ofTimeWaitAreFinal() {
    var tracker = ConnectionTracker()
    Self.established(&tracker)
    var row = Transition()
    for (old, new, time) in [
      (TCPState.established, TCPState.finWait1, 3), (.finWait1, .finWait2, 4), (.finWait2, .closed, 5),
    ]
      as [(TCPState, TCPState, UInt64)]
    {
      var event = EventBuilder.transition(old, new, flags: new == .closed ? TCPSTATE_FLAG_DONE : 0)
      event.cookie = 7
      event.bytes_sent = 12
      event.timestamp_ns = time * Self.second
      withUnsafePointer(to: event) { _ = tracker.apply($0, to: &row) }
    }
    let now = Self.row(tracker, at: 30 * Self.second)
    #expect(now?.new == .timeWait && now?.bytesSent == 12)
  }

  /// What leaves SYN-SENT is passed on by the kernel side whatever its port; of others nothing was missed.
  @Test(arguments: [false, true])
  func unwantedPortsArentUnmatched(_ mayBePeers: Bool) throws {
    var tracker = ConnectionTracker()
    tracker.knowsExisting = true
    tracker.localPorts = try PortSet(parsing: "443")
    tracker.portsMayBePeers = mayBePeers
    for (port, isRow) in [(4_000, false), (443, true)] as [(UInt16, Bool)] {
      var event = EventBuilder.transition(.synSent, .established)
      event.cookie = UInt64(port)
      event.local_port = port
      event.timestamp_ns = Self.second
      var row = Transition()
      let applied = withUnsafePointer(to: event) { tracker.apply($0, to: &row) }
      #expect(applied == isRow)
    }
    let (unmatched, tracked) = (tracker.unmatched, tracker.trackedCount)
    #expect(unmatched == 1 && tracked == 1)
    // A client of the port, which only --port asks for.
    var event = EventBuilder.transition(.synSent, .established)
    (event.cookie, event.local_port, event.peer_port) = (9, 4_001, 443)
    var row = Transition()
    let isRow = withUnsafePointer(to: event) { tracker.apply($0, to: &row) }
    #expect(isRow == mayBePeers)
  }
}
