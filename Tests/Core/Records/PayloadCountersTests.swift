// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent
import TestSupport
import Testing

@testable import TCPStateCore

@Suite struct PayloadCountersTests {
  /// The kernel's counters of an end that has sent and received this much.
  private struct End {
    var role = Role.client
    var initialSend: UInt32 = 1000
    var initialReceive: UInt32 = 5000
    var sent: UInt64 = 0
    var retransmitted: UInt64 = 0
    /// Of the payload sent.
    var unacknowledged: UInt32 = 0
    var received: UInt64 = 0
    var unread: UInt32 = 0
    var finReceived = false

    func event(_ old: TCPState, _ new: TCPState) -> tcpstate_event {
      var event = EventBuilder.transition(old, new, flags: finReceived ? TCPSTATE_FLAG_DONE : 0)
      let fin: UInt64 = finReceived ? 1 : 0
      let syn: UInt64 = role == .client ? 1 : 0
      event.bytes_sent = sent + retransmitted
      event.bytes_retransmitted = retransmitted
      event.bytes_received = received + fin
      event.bytes_acknowledged = sent - UInt64(unacknowledged) + syn
      event.send_next = initialSend &+ 1 &+ UInt32(truncatingIfNeeded: sent)
      event.send_unacknowledged = event.send_next &- unacknowledged
      event.receive_next = initialReceive &+ 1 &+ UInt32(truncatingIfNeeded: received + fin)
      event.copied_sequence = event.receive_next &- UInt32(fin) &- unread
      return event
    }
  }

  private func counters<T>(_ event: tcpstate_event, _ body: (PayloadCounters) -> T) -> T {
    withUnsafePointer(to: event) { body(PayloadCounters($0)) }
  }

  @Test func phantomBytesAreLeftOut() {
    let end = End(sent: 800, retransmitted: 12, unacknowledged: 100, received: 600, unread: 600, finReceived: true)
    counters(end.event(.established, .closeWait)) {
      #expect($0.sent == 800)
      #expect($0.received == 600)
      #expect($0.unread == 600)
      #expect($0.unacknowledged == 100)
    }
  }

  @Test(arguments: [TCPState.finWait1, .closing, .lastAck])
  func theFINInFlightIsNoPayload(_ old: TCPState) {
    var event = End(sent: 10).event(old, .closed)
    event.send_next &+= 1
    counters(event) { #expect($0.unacknowledged == 0) }
  }

  /// A FIN that waits behind data that can't be sent isn't in flight.
  @Test(arguments: [TCPState.finWait1, .closing, .lastAck])
  func theUnsentFINIsNotInFlight(_ old: TCPState) {
    var event = End(sent: 4096, unacknowledged: 4096).event(old, .closed)
    event.write_sequence = event.send_next &+ 1
    counters(event) { #expect($0.unacknowledged == 4096 && $0.unsent == 0) }
    event.write_sequence = event.send_next &+ 1001
    counters(event) { #expect($0.unacknowledged == 4096 && $0.unsent == 1000) }
    // It has left.
    event.send_next &+= 1001
    counters(event) { #expect($0.unacknowledged == 5096 && $0.unsent == 0) }
  }

  /// close() in ESTABLISHED or CLOSE-WAIT queues the FIN only after that transition.
  @Test(arguments: [TCPState.established, .closeWait, .finWait1, .closing, .lastAck, .finWait2])
  func unsentPayload(_ old: TCPState) {
    let isQueued = old == .finWait1 || old == .closing || old == .lastAck
    for (written, unsent) in [(0, 0), (1, isQueued ? 0 : 1), (1449, isQueued ? 1448 : 1449)] as [(UInt32, UInt32)] {
      // Also where the numbers wrap.
      for initial in [1000, UInt32.max - 700] {
        var event = End(initialSend: initial, sent: 10).event(old, .closed)
        event.write_sequence = event.send_next &+ written
        counters(event) { #expect($0.unsent == unsent, "\(written)") }
      }
    }
  }

  @Test func rubbishIsNeverNegative() {
    var event = End().event(.lastAck, .closed)
    event.copied_sequence = event.receive_next &+ 5
    event.bytes_retransmitted = 99
    counters(event) {
      #expect($0.unread == 0)
      #expect($0.unacknowledged == 0)
      #expect($0.unsent == 0)
      #expect($0.sent == 0)
    }
  }

  @Test(arguments: [Role.client, .server])
  func roleOfAnOlderConnection(_ role: Role) {
    for sent in [0, 1, 5000, 1 << 33] as [UInt64] {
      for unacknowledged in [0, 1] as [UInt32] where UInt64(unacknowledged) <= sent {
        let end = End(role: role, sent: sent, retransmitted: sent / 3, unacknowledged: unacknowledged, received: 70)
        counters(end.event(.established, .established)) { #expect($0.role == role) }
        counters(end.event(.closeWait, .closeWait)) { #expect($0.role == role) }
      }
    }
  }

  /// After our FIN the two can no longer be distinguished.
  @Test func roleIsUnknownAfterTheFIN() {
    for old in [TCPState.finWait1, .finWait2, .lastAck, .closing, .synSent, .synReceived, .closed, .listen] {
      counters(End().event(old, .closed)) { #expect($0.role == .unknown, "\(old)") }
    }
    var event = End().event(.established, .established)
    event.flags |= UInt16(TCPSTATE_FLAG_SEND_SHUTDOWN)
    counters(event) { #expect($0.role == .unknown) }
  }

  /// Modulo 2^32: correct even where the numbers wrap.
  @Test func initialSequences() {
    var random = SeededGenerator(seed: 9)
    for _ in 0..<1000 {
      var end = End(
        initialSend: .random(in: 0 ... .max, using: &random), initialReceive: .random(in: 0 ... .max, using: &random),
        sent: .random(in: 0...(1 << 34), using: &random), received: .random(in: 0...(1 << 34), using: &random),
        finReceived: .random(using: &random))
      for role in [Role.client, .server] {
        end.role = role
        counters(end.event(.established, .closeWait)) {
          let found = $0.initialSequences(role: role)
          #expect(found?.send == end.initialSend)
          #expect(found?.receive == end.initialReceive)
        }
      }
    }
    counters(End().event(.established, .closeWait)) {
      #expect($0.initialSequences(role: .unknown) == nil)
      #expect($0.initialSequences(role: .listener) == nil)
    }
  }
}
