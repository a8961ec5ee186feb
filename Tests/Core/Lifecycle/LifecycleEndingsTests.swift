// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TestSupport
import Testing

/// Lives that don't close in order, and lives that were only partly seen.
@Suite struct LifecycleEndingsTests {
  private static func established() -> LifeScript {
    var script = LifeScript()
    script.handshake()
    return script
  }

  @Test(arguments: [
    (Reason.aborted, "abort"), (.killed, "kill"), (.unaccepted, "listener_closed"),
  ])
  func resetBySender(_ reason: Reason, _ act: String) {
    var script = Self.established()
    script.go(.server, .closed, at: 100_000) { $0.reason = reason }
    script.go(.client, .closed, at: 100_050) { $0.reason = .resetReceived }
    #expect(
      script.steps().dropFirst(4) == [
        "- server \(act) RST ACK 918230012 3063428174 CLOSED (\(reason.name))",
        "- client CLOSED (reset_received)",
      ])
    #expect(script.lives().first?.reason == reason)
    #expect(
      script.steps([.client]).dropFirst(4) == [
        "~- server RST 918230012 CLOSED", "- client CLOSED (reset_received)",
      ])
  }

  /// In each state, a RST is drawn from the other end.
  @Test(arguments: [TCPState.established, .finWait1, .finWait2, .closeWait, .lastAck, .closing])
  func resetReceived(in state: TCPState) {
    var script = Self.established()
    if state != .established {
      if state == .finWait2 || state == .closing { script.go(.client, .finWait1, at: 50_000) }
      if state == .lastAck { script.go(.client, .closeWait, at: 50_000) }
      script.go(.client, state, at: 60_000)
    }
    script.go(.client, .closed, at: 100_000) { $0.reason = .resetReceived }
    #expect(script.steps([.client]).suffix(2).first?.contains("~- server RST 918230012") == true)
    #expect(script.steps([.client]).last == "- client CLOSED (reset_received)")
  }

  @Test func resetToAnOrphan() {
    var script = Self.established()
    script.firstFin(.client, at: 100_000)
    script.acknowledgeFin(.client)
    script.go(.client, .finWait2, at: 100_100)
    script.go(.client, .closed, at: 100_500) {
      $0.reason = .resetSent
      $0.resetReason = .tcpTimewaitSocket
    }
    script.edit(.server) { $0.receiveNext = $0.receiveNext }
    script.go(.server, .closed, at: 100_600) { $0.reason = .resetReceived }
    #expect(
      script.steps().suffix(2) == [
        "- client RST 3063428175 CLOSED (reset_sent)", "- server CLOSED (reset_received)",
      ])
    let steps = script.lives().first?.steps.suffix(2)
    #expect(steps?.map(\.resetReason) == [.tcpTimewaitSocket, nil], "only the sender's step has it")
  }

  @Test func refused() {
    var script = LifeScript()
    script.go(.client, .synSent, at: 0) {
      $0.initialSendSequence = nil
      $0.initialReceiveSequence = nil
    }
    script.go(.client, .closed, at: 60) { $0.reason = .refused }
    #expect(
      script.steps() == [
        "1 client SYN ? SYN-SENT", "~- server RST ACK ? ?", "- client CLOSED (refused)",
      ])
    #expect(script.lives().first?.initialState(of: .server) == .closed)
  }

  /// An ICMP error is no segment: nothing was received, and no RST is drawn.
  @Test(arguments: [(UInt32?.none, 3), (1, 3), (0, 2)]) func refusedByICMP(_ received: UInt32?, _ steps: Int) {
    var script = LifeScript()
    script.go(.client, .synSent, at: 0) { $0.segmentsReceived = nil }
    script.go(.client, .closed, at: 60) {
      $0.reason = .refused
      $0.segmentsReceived = received
    }
    #expect(script.steps().count == steps)
    #expect(script.steps().contains { $0.contains("RST") } == (steps == 3))
    #expect(script.steps().last == "- client CLOSED (refused)")
  }

  /// The server closes with unread data before it has acknowledged the FIN, which its RST does.
  @Test(arguments: [Set<Side>([.client, .server]), [.client], [.server]])
  func resetInsteadOfAcknowledgement(_ sides: Set<Side>) {
    var script = Self.established()
    script.firstFin(.client, at: 100_000)
    script.go(.server, .closed, at: 110_000) { $0.reason = .aborted }
    script.go(.client, .closed, at: 110_050) { $0.reason = .resetReceived }
    let steps = script.steps(sides)
    #expect(!steps.contains { $0.contains("FIN-WAIT-2") })
    if sides.contains(.server) { #expect(steps.contains("3 server end_of_file CLOSE-WAIT")) }
    #expect(!steps.contains { $0.contains("server end_of_file ACK") })
  }

  /// It acknowledged the FIN before, so the other end went to FIN-WAIT-2 if it isn't seen, and not if it is.
  @Test func resetAfterAcknowledgement() {
    var script = Self.established()
    script.firstFin(.client, at: 100_000)
    script.edit(.server) { $0.segmentsSent = ($0.segmentsSent ?? 0) + 1 }
    script.go(.server, .closed, at: 110_000) { $0.reason = .aborted }
    script.go(.client, .closed, at: 110_050) { $0.reason = .resetReceived }
    let alone = script.steps([.server])
    #expect(alone.contains { $0.hasPrefix("3 server end_of_file ACK") })
    #expect(alone.contains("~4 client FIN-WAIT-2"))
    let both = script.steps()
    #expect(both.contains { $0.hasPrefix("3 server end_of_file ACK") })
    #expect(!both.contains { $0.contains("FIN-WAIT-2") }, "the ACK was lost: the client's rows don't have it")
  }

  /// A row of the client was lost, so what it implies is drawn.
  @Test func impliedWhereARowIsMissing() {
    var script = Self.established()
    script.firstFin(.client, at: 100_000)
    script.edit(.server) { $0.segmentsSent = ($0.segmentsSent ?? 0) + 1 }
    script.edit(.client) { $0.new = .finWait2 }
    script.go(.client, .timeWait, at: 200_000) { $0.reason = .fin }
    #expect(script.steps().contains("~4 client FIN-WAIT-2"))
  }

  /// A reading found the orphan gone: it ended then or later, and if the other end's RST was seen, with that.
  @Test(arguments: [Set<Side>([.client, .server]), [.client]])
  func foundGone(_ sides: Set<Side>) throws {
    var script = Self.established()
    script.firstFin(.client, at: 100_000)
    script.edit(.server) { $0.segmentsSent = ($0.segmentsSent ?? 0) + 1 }
    script.acknowledgeFin(.client)
    script.go(.client, .finWait2, at: 100_090)
    script.go(.server, .closed, at: 180_000) { $0.reason = .aborted }
    script.go(.client, .closed, at: 100_090) {
      $0.reason = .unknown
      $0.source = .derived
      $0.setTime(.atLeast, error: 900_000_000)
    }
    let last = try #require(script.lives(sides).first?.steps.last)
    #expect(last.side == .client && last.state == .closed && last.basis == .found && last.timeKind == .atLeast)
    let isSeen = sides.contains(.server)
    #expect(last.time == LifeScript.start + (isSeen ? 180_000_000 : 100_090_000))
    #expect(last.timeError == (isSeen ? 820_090_000 : 900_000_000))
  }

  /// The end of an orphan's FIN-WAIT-2, of which the minisock knows only between when it was.
  @Test func boundedByTheOtherEnd() throws {
    var script = Self.established()
    script.firstFin(.client, at: 100_000)
    script.edit(.server) { $0.segmentsSent = ($0.segmentsSent ?? 0) + 1 }
    script.acknowledgeFin(.client)
    script.go(.client, .finWait2, at: 100_090)
    script.go(.server, .lastAck, at: 900_000)
    script.go(.client, .timeWait, at: 1_604_000) {
      $0.reason = .fin
      $0.source = .derived
      $0.setTime(.atMost, error: 1_000_000_000)
    }
    script.acknowledgeFin(.server)
    script.go(.server, .closed, at: 900_060) { $0.reason = .fin }
    let step = try #require(script.lives().first?.steps.first { $0.state == .timeWait })
    #expect(step.time == LifeScript.start + 900_000_000 && step.timeKind == .atLeast && step.timeError == 60_000)
    #expect(step.basis == .found)
    let alone = try #require(script.lives([.client]).first?.steps.first { $0.state == .timeWait })
    #expect(alone.time == LifeScript.start + 604_000_000 && alone.timeKind == .atLeast)
    #expect(alone.timeError == 1_000_000_000)
  }

  @Test(arguments: [Reason.timeout, .unreachable, .aborted])
  func unanswered(_ reason: Reason) {
    var script = LifeScript()
    script.go(.client, .synSent, at: 0)
    script.go(.client, .closed, at: 1_000_000) { $0.reason = reason }
    let act = reason == .aborted ? "abort " : ""
    #expect(
      script.steps() == [
        "1 client SYN 3063428173 unanswered SYN-SENT", "- client \(act)CLOSED (\(reason.name))",
      ])
  }

  @Test func halfOpen() {
    var script = LifeScript()
    script.go(.server, .synReceived, at: 0) {
      $0.source = .derived
      $0.stay = nil
    }
    script.go(.server, .closed, at: 63_000_000) { $0.reason = .timeout }
    #expect(
      script.steps() == [
        "~1 client SYN 3063428173 SYN-SENT",
        "2 server SYN ACK 918230011 3063428174 unanswered SYN-RECEIVED",
        "- server CLOSED (timeout)",
      ])
  }

  @Test(arguments: [TCPState.established, .finWait1, .closeWait])
  func timeout(in state: TCPState) {
    var script = Self.established()
    if state != .established { script.go(.client, state, at: 50_000) }
    script.go(.client, .closed, at: 900_000) { $0.reason = .timeout }
    #expect(script.steps().last == "- client CLOSED (timeout)")
    #expect(script.lives().first?.reason == .timeout)
    #expect(script.lives().first?.isClosed == false, "the server is still there")
  }

  /// RFC 7413: the SYN carries ten bytes.
  @Test(arguments: [Set<Side>([.client, .server]), [.client], [.server]])
  func fastOpen(_ sides: Set<Side>) {
    var script = LifeScript()
    script.go(.client, .synSent, at: 0)
    script.go(.server, .synReceived, at: 40) { $0.bytesReceived = 10 }
    script.transfer(clientSends: 10, serverSends: 0)
    script.go(.client, .established, at: 100)
    script.edit(.server) { $0.bytesReceived = 10 }
    script.go(.server, .established, at: 140)
    let steps = script.steps(sides).map { $0.replacing("~", with: "") }
    #expect(
      steps == [
        "1 client SYN 3063428173 SYN-SENT",
        "2 server SYN ACK 918230011 3063428184 SYN-RECEIVED",
        "3 client ACK 3063428184 918230012 ESTABLISHED",
        "4 server ESTABLISHED",
      ])
  }

  @Test(arguments: [Reason.reused, .timeWaitOverflow, .resetReceived])
  func timeWaitCutShort(_ reason: Reason) {
    var script = Self.established()
    script.orderlyClose(.client, at: 100_000, timeWait: false)
    script.go(.client, .closed, at: 5_000_000) {
      $0.reason = reason
      $0.source = .derived
    }
    #expect(script.steps().last == "8 client CLOSED (\(reason.name))")
  }

  @Test func beginningMissed() throws {
    var script = Self.established()
    script.rows = []
    script.orderlyClose(.client, at: 100_000)
    let life = try #require(script.lives().first)
    #expect(!life.beginningSeen)
    #expect(life.steps.map(LifeScript.describe).first == "1 client close")
    #expect(life.steps.last.map(LifeScript.describe) == "8 client CLOSED")
  }

  @Test func stillOpen() throws {
    let script = Self.established()
    let life = try #require(script.lives().first)
    #expect(!life.isSettled)
    #expect(life.steps.count == 4)
    #expect(life.establishedStay == nil)
  }

  /// Unknown numbers stay unknown.
  @Test func withoutSequences() {
    var script = Self.established()
    script.orderlyClose(.client, at: 100_000)
    for index in script.rows.indices {
      script.rows[index].initialSendSequence = nil
      script.rows[index].initialReceiveSequence = nil
      script.rows[index].sendNext = nil
      script.rows[index].receiveNext = nil
      script.rows[index].sendUnacknowledged = nil
    }
    let lives = script.lives()
    #expect(lives.count == 1, "joined by endpoints")
    #expect(
      lives[0].steps.compactMap(\.segment).allSatisfy { $0.sequence == nil && $0.acknowledgement == nil })
  }
}
