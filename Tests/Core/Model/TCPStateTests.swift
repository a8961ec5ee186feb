// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import Testing

@Suite struct TCPStateTests {
  private static let table: [(number: UInt8, rfc: String, openTelemetry: String, kernel: String)] = [
    (1, "ESTABLISHED", "established", "ESTABLISHED"),
    (2, "SYN-SENT", "syn_sent", "SYN_SENT"),
    (3, "SYN-RECEIVED", "syn_received", "SYN_RECV"),
    (4, "FIN-WAIT-1", "fin_wait_1", "FIN_WAIT1"),
    (5, "FIN-WAIT-2", "fin_wait_2", "FIN_WAIT2"),
    (6, "TIME-WAIT", "time_wait", "TIME_WAIT"),
    (7, "CLOSED", "closed", "CLOSE"),
    (8, "CLOSE-WAIT", "close_wait", "CLOSE_WAIT"),
    (9, "LAST-ACK", "last_ack", "LAST_ACK"),
    (10, "LISTEN", "listen", "LISTEN"),
    (11, "CLOSING", "closing", "CLOSING"),
  ]

  @Test(arguments: table)
  func spellings(_ entry: (number: UInt8, rfc: String, openTelemetry: String, kernel: String)) {
    let state = TCPState(number: entry.number)
    #expect(state.isKnown)
    #expect(TCPState.all.contains(state))
    #expect(state.name(.rfc) == entry.rfc)
    #expect(state.name(.openTelemetry) == entry.openTelemetry)
    #expect(state.name(.kernel) == entry.kernel)
    #expect(state.description == entry.rfc)
    for spelling in [entry.rfc, entry.openTelemetry, entry.kernel] {
      #expect(TCPState(parsing: spelling) == state)
      #expect(TCPState(parsing: spelling.lowercased()) == state)
      #expect(TCPState(parsing: spelling.uppercased()) == state)
      #expect(TCPState(parsing: spelling.capitalized) == state)
    }
  }

  @Test(arguments: [
    ("syn-recv", TCPState.synReceived), ("SYN_RECV", .synReceived), ("NEW_SYN_RECV", .synReceived),
    ("fin-wait-1", .finWait1), ("finwait1", .finWait1), ("fin-wait-2", .finWait2),
    ("time-wait", .timeWait), ("close-wait", .closeWait), ("last-ack", .lastAck),
    ("estab", .established), ("ESTAB", .established), ("listening", .listen), ("unconnected", .closed),
  ])
  func spellingsOfSs(_ text: String, _ state: TCPState) {
    #expect(TCPState(parsing: text) == state)
  }

  @Test(arguments: [
    "", "-", "estb", "established ,", "fin", "fin-wait", "fin-wait-3", "7", "unknown", "unknown_", "unknown_256",
  ])
  func noState(_ text: String) {
    #expect(TCPState(parsing: text) == nil)
  }

  @Test func everyNumberAppearsOnceInTheTable() {
    #expect(TCPState.all.count == 11)
    #expect(Set(TCPState.all).count == 11)
    for number in UInt8.min...UInt8.max {
      let state = TCPState(number: number)
      #expect(state.isKnown == TCPState.all.contains(state))
      #expect(!state.isKnown || Int(state.number) < TCPState.arraySize)
    }
  }

  /// The kernel's half-open request is SYN-RECEIVED to the protocol.
  @Test func newSynRecvIsSynReceived() {
    #expect(TCPState(number: 12) == .synReceived)
  }

  @Test(arguments: [UInt8(0), 13, 14, 255])
  func beyondTheTable(_ number: UInt8) {
    let state = TCPState(number: number)
    #expect(!state.isKnown)
    #expect(!state.isSynchronized)
    #expect(state.staticName(.rfc) == nil)
    #expect(state.name(.rfc) == "UNKNOWN(\(number))")
    #expect(state.name(.kernel) == "UNKNOWN(\(number))")
    #expect(state.name(.openTelemetry) == "unknown_\(number)")
    #expect(TCPState(parsing: "UNKNOWN(\(number))") == state)
    #expect(TCPState(parsing: "unknown_\(number)") == state)
  }

  @Test func synchronized() {
    let without: Set<TCPState> = [.closed, .listen, .synSent, .synReceived]
    for state in TCPState.all { #expect(state.isSynchronized == !without.contains(state), "\(state)") }
  }
}
