// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TestSupport
import Testing

/// Each way a connection can live, step by step.
@Suite struct LifecycleStepsTests {
  private static let handshake = [
    "1 client SYN 3063428173 SYN-SENT",
    "2 server SYN ACK 918230011 3063428174 SYN-RECEIVED",
    "3 client ACK 3063428174 918230012 ESTABLISHED",
    "4 server ESTABLISHED",
  ]

  private static func established(_ sent: UInt32 = 812, _ received: UInt32 = 48_120) -> LifeScript {
    var script = LifeScript()
    script.handshake()
    script.transfer(clientSends: sent, serverSends: received)
    return script
  }

  @Test func textbook() {
    var script = Self.established()
    script.orderlyClose(.client, at: 5_800_000)
    #expect(
      script.steps() == Self.handshake + [
        "1 client close",
        "2 client FIN ACK 3063428986 918278132 FIN-WAIT-1",
        "3 server end_of_file ACK 918278132 3063428987 CLOSE-WAIT",
        "4 client FIN-WAIT-2",
        "5 server close FIN ACK 918278132 3063428987 LAST-ACK",
        "6 client ACK 3063428987 918278133 TIME-WAIT",
        "7 server CLOSED",
        "8 client CLOSED",
      ])
  }

  @Test func statesAfterEachStep() throws {
    var script = Self.established()
    script.orderlyClose(.server, at: 5_800_000)
    let life = try #require(script.lives().first)
    let states = life.steps.map { "\($0.clientState?.name(.rfc) ?? "?") \($0.serverState?.name(.rfc) ?? "?")" }
    #expect(
      states == [
        "SYN-SENT LISTEN", "SYN-SENT SYN-RECEIVED", "ESTABLISHED SYN-RECEIVED", "ESTABLISHED ESTABLISHED",
        "ESTABLISHED ESTABLISHED", "ESTABLISHED FIN-WAIT-1", "CLOSE-WAIT FIN-WAIT-1", "CLOSE-WAIT FIN-WAIT-2",
        "LAST-ACK FIN-WAIT-2", "LAST-ACK TIME-WAIT", "CLOSED TIME-WAIT", "CLOSED CLOSED",
      ])
    #expect(life.closer == .server)
    #expect(life.reason == .fin)
    #expect(life.isClosed && life.isJoined && life.beginningSeen)
    #expect(life.steps[1].time == LifeScript.start + 40_000, "SYN-RECEIVED began with the SYN-ACK")
    let stay = try #require(life.establishedStay)
    #expect(stay.nanoseconds == (5_800_000 - 12_500) * 1_000)
  }

  @Test func clientAlone() {
    var script = Self.established()
    script.orderlyClose(.client, at: 5_800_000, timeWait: false)
    #expect(
      script.steps([.client]) == [
        "1 client SYN 3063428173 SYN-SENT",
        "~2 server SYN ACK 918230011 3063428174 SYN-RECEIVED",
        "3 client ACK 3063428174 918230012 ESTABLISHED",
        "~4 server ESTABLISHED",
        "1 client close",
        "2 client FIN ACK 3063428986 918278132 FIN-WAIT-1",
        "~3 server end_of_file ACK 918278132 3063428987 CLOSE-WAIT",
        "4 client FIN-WAIT-2",
        "~5 server close FIN ACK 918278132 3063428987 LAST-ACK",
        "6 client ACK 3063428987 918278133 TIME-WAIT",
        "~7 server CLOSED",
        "…8 client CLOSED",
      ])
  }

  @Test func serverAlone() {
    var script = Self.established()
    script.orderlyClose(.client, at: 5_800_000)
    #expect(
      script.steps([.server]) == [
        "~1 client SYN 3063428173 SYN-SENT",
        "2 server SYN ACK 918230011 3063428174 SYN-RECEIVED",
        "~3 client ACK 3063428174 918230012 ESTABLISHED",
        "4 server ESTABLISHED",
        "~1 client close",
        "~2 client FIN ACK 3063428986 918278132 FIN-WAIT-1",
        "3 server end_of_file ACK 918278132 3063428987 CLOSE-WAIT",
        "~4 client FIN-WAIT-2",
        "5 server close FIN ACK 918278132 3063428987 LAST-ACK",
        "~6 client ACK 3063428987 918278133 TIME-WAIT",
        "7 server CLOSED",
      ])
  }

  /// The second FIN carries the acknowledgement of the first: one segment less on the wire.
  @Test(arguments: [Set<Side>([.client, .server]), [.client], [.server]])
  func combined(_ sides: Set<Side>) {
    var script = Self.established(0, 0)
    script.firstFin(.client, at: 100_000)
    script.go(.server, .lastAck, at: 100_500)
    script.acknowledgeFin(.client)
    script.edit(.client) { $0.segmentsReceived = 9 }
    script.go(.client, .finWait2, at: 100_560)
    script.edit(.client) { $0.receiveNext = $0.receiveNext.map { $0 &+ 1 } }
    script.go(.client, .timeWait, at: 100_570) { $0.reason = .fin }
    script.acknowledgeFin(.server)
    script.go(.server, .closed, at: 100_600) { $0.reason = .fin }
    let close = script.steps(sides).filter { !$0.contains("SYN") && !$0.contains("ESTABLISHED") }
    #expect(
      close.map { $0.replacing("~", with: "").replacing("…", with: "") }.prefix(7) == [
        "1 client close",
        "2 client FIN ACK 3063428174 918230012 FIN-WAIT-1",
        "3 server end_of_file CLOSE-WAIT",
        "5 server close FIN ACK 918230012 3063428175 LAST-ACK",
        "4 client FIN-WAIT-2",
        "6 client ACK 3063428175 918230013 TIME-WAIT",
        "7 server CLOSED",
      ])
  }

  @Test func simultaneousClose() {
    var script = Self.established(0, 0)
    script.go(.client, .finWait1, at: 100_000)
    script.go(.server, .finWait1, at: 100_010)
    for side in Side.allCases {
      script.edit(side) { $0.sendNext = $0.sendNext.map { $0 &+ 1 } }
      script.receiveFin(side)
      script.go(side, .closing, at: side == .client ? 100_100 : 100_110)
    }
    for side in Side.allCases {
      script.edit(side) { $0.sendUnacknowledged = $0.sendNext }
      script.go(side, .timeWait, at: side == .client ? 100_200 : 100_210) { $0.reason = .fin }
    }
    #expect(
      script.steps().dropFirst(4) == [
        "1 client close",
        "2 client FIN ACK 3063428174 918230012 FIN-WAIT-1",
        "1 server close",
        "2 server FIN ACK 918230012 3063428174 FIN-WAIT-1",
        "3 client ACK 3063428175 918230013 CLOSING",
        "3 server ACK 918230013 3063428175 CLOSING",
        "4 client TIME-WAIT",
        "4 server TIME-WAIT",
        "…8 client CLOSED",
        "…8 server CLOSED",
      ])
    #expect(script.lives().first?.closer == .both)
  }

  @Test func simultaneousOpen() {
    var script = LifeScript()
    script.server.role = .client
    script.server.new = .closed
    script.go(.client, .synSent, at: 0)
    script.go(.server, .synSent, at: 10)
    script.go(.client, .synReceived, at: 100)
    script.go(.server, .synReceived, at: 110)
    script.go(.client, .established, at: 200)
    script.go(.server, .established, at: 210)
    #expect(
      script.steps() == [
        "1 client SYN 3063428173 SYN-SENT",
        "1 server SYN 918230011 SYN-SENT",
        "2 client SYN ACK 3063428173 918230012 SYN-RECEIVED",
        "2 server SYN ACK 918230011 3063428174 SYN-RECEIVED",
        "4 client ESTABLISHED",
        "4 server ESTABLISHED",
      ])
    #expect(script.lives().count == 1)
  }

  /// The client only shuts down its sending side and continues to receive.
  @Test func halfClose() {
    var script = Self.established(0, 0)
    script.firstFin(.client, at: 100_000)
    script.edit(.server) { $0.segmentsSent = 3 }
    script.acknowledgeFin(.client)
    script.go(.client, .finWait2, at: 100_100)
    script.transfer(clientSends: 0, serverSends: 333)
    script.go(.server, .lastAck, at: 200_000)
    script.receiveFin(.client)
    script.go(.client, .timeWait, at: 200_100) { $0.reason = .fin }
    let steps = script.steps()
    #expect(steps.contains("1 client shutdown"))
    #expect(steps.contains("5 server close FIN ACK 918230345 3063428175 LAST-ACK"))
    #expect(steps.contains("6 client ACK 3063428175 918230346 TIME-WAIT"))
  }

  /// The recorded direction decides, whatever came afterwards: payload can still be under way when close() is called,
  /// and none need follow shutdown(SHUT_WR).
  @Test(
    arguments: [
      (UInt32(0), nil, "shutdown"), (1, nil, "close_or_shutdown"), (1, FinCall.close, "close"),
      (1, FinCall.shutdown, "shutdown"),
    ], [true, false])
  func receiveShutdown(_ known: (value: UInt32, call: FinCall?, act: String), _ isFollowed: Bool) {
    var script = Self.established()
    script.edit(.client) { $0.receiveShutdown = known.value }
    script.firstFin(.client, at: 5_800_000)
    script.edit(.client) { $0.finCall = known.call }
    if isFollowed { script.transfer(clientSends: 0, serverSends: 500) }
    script.acknowledgeFin(.client)
    script.go(.client, .finWait2, at: 5_800_090)
    #expect(script.steps([.client]).contains("1 client \(known.act)"))
  }

  @Test func wrap() {
    var script = LifeScript(x: .max, y: .max - 100)
    script.handshake()
    script.transfer(clientSends: 10, serverSends: 200)
    script.orderlyClose(.client, at: 100_000)
    #expect(
      script.steps() == [
        "1 client SYN 4294967295 SYN-SENT",
        "2 server SYN ACK 4294967195 0 SYN-RECEIVED",
        "3 client ACK 0 4294967196 ESTABLISHED",
        "4 server ESTABLISHED",
        "1 client close",
        "2 client FIN ACK 10 100 FIN-WAIT-1",
        "3 server end_of_file ACK 100 11 CLOSE-WAIT",
        "4 client FIN-WAIT-2",
        "5 server close FIN ACK 100 11 LAST-ACK",
        "6 client ACK 11 101 TIME-WAIT",
        "7 server CLOSED",
        "8 client CLOSED",
      ])
  }

  /// Data is queued when the client closes, so the FIN's number is known only once it is acknowledged.
  @Test func queuedDataBeforeFin() {
    var script = Self.established(100, 0)
    script.go(.client, .finWait1, at: 100_000)
    #expect(script.steps([.client]).last == "2 client FIN ACK ? ? FIN-WAIT-1")
    script.transfer(clientSends: 5_000, serverSends: 0)
    script.receiveFin(.server)
    script.go(.server, .closeWait, at: 150_000)
    #expect(script.steps().contains("1 client close FIN-WAIT-1"))
    #expect(script.steps().contains("2 client FIN ACK 3063433274 ?"))
  }
}
