// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TestSupport
import Testing

/// Steps draw only what is certain: when a FIN left, who reset a connection, and the states of both ends.
@Suite struct UncertainStepsTests {
  private static func established() -> LifeScript {
    var script = LifeScript()
    script.handshake()
    return script
  }

  // MARK: - A FIN behind payload

  /// The state changes in close(); the FIN follows, at the latest when it arrives.
  @Test(arguments: [Set<Side>([.client, .server]), [.client], [.server]])
  func finBehindPayload(_ sides: Set<Side>) throws {
    var script = Self.established()
    script.go(.client, .finWait1, at: 100_000) { $0.unsentBytes = 5_000 }
    script.edit(.client) { $0.unsentBytes = 0 }
    script.transfer(clientSends: 5_000, serverSends: 0)
    script.receiveFin(.server)
    script.go(.server, .closeWait, at: 350_000)
    script.acknowledgeFin(.client)
    script.go(.client, .finWait2, at: 350_090)
    let steps = try #require(script.lives(sides).first).steps
    let fin = try #require(steps.first { $0.segment?.flags.contains(.fin) == true })
    guard sides.contains(.client) else {
      #expect(fin.basis == .implied)
      return
    }
    #expect(LifeScript.describe(fin) == "2 client FIN ACK 3063433174 ?")
    #expect(fin.basis == .found)
    let arrival: UInt64 = sides.contains(.server) ? 350_000 : 350_090
    #expect(fin.time == LifeScript.start + arrival * 1_000)
    #expect(fin.timeKind == .atMost)
    #expect(fin.timeError == (arrival - 100_000) * 1_000)
    let act = try #require(steps.first { $0.act == .close })
    #expect(act.state == .finWait1)
    #expect(act.time == LifeScript.start + 100_000_000)
    #expect(act.timeKind == .exact)
  }

  /// The same for the second FIN.
  @Test func secondFinBehindPayload() throws {
    var script = Self.established()
    script.firstFin(.client, at: 100_000)
    script.go(.server, .lastAck, at: 200_000) { $0.unsentBytes = 1 }
    script.edit(.client) { $0.receiveNext = $0.receiveNext.map { $0 &+ 2 } }
    script.go(.client, .timeWait, at: 400_000)
    let steps = try #require(script.lives().first).steps
    let fin = try #require(steps.last { $0.segment?.flags.contains(.fin) == true })
    #expect((fin.number, fin.state) == (5, nil))
    #expect(fin.time == LifeScript.start + 400_000_000)
    #expect(fin.timeKind == .atMost)
    #expect(steps.contains { $0.number == 5 && $0.act == .close && $0.state == .lastAck && $0.segment == nil })
  }

  /// If the connection is reset first, nothing shows that the FIN ever left.
  @Test func finThatNeverLeaves() {
    var script = Self.established()
    script.go(.client, .finWait1, at: 100_000) { $0.unsentBytes = 5_000 }
    script.go(.client, .closed, at: 350_000) { $0.reason = .timeout }
    #expect(script.steps([.client]).suffix(2) == ["1 client close FIN-WAIT-1", "- client CLOSED (timeout)"])
  }

  @Test func finAtOnce() {
    var script = Self.established()
    script.go(.client, .finWait1, at: 100_000) { $0.unsentBytes = 0 }
    #expect(script.steps([.client]).suffix(2) == ["1 client close", "2 client FIN ACK ? ? FIN-WAIT-1"])
  }

  // MARK: - Who reset it

  /// Something between them reset both, so neither end sent a RST.
  @Test func middleboxResetsBoth() {
    var script = Self.established()
    script.go(.client, .closed, at: 100_000) { $0.reason = .resetReceived }
    script.go(.server, .closed, at: 100_300) { $0.reason = .resetReceived }
    #expect(
      script.steps().suffix(2) == ["- client CLOSED (reset_received)", "- server CLOSED (reset_received)"])
  }

  /// It reset one of them while the other was still open.
  @Test func middleboxResetsOne() {
    var script = Self.established()
    script.go(.client, .closed, at: 100_000) { $0.reason = .resetReceived }
    #expect(script.steps().last == "- client CLOSED (reset_received)")
    #expect(!script.steps().contains { $0.contains("RST") })
    #expect(script.steps([.client]).contains { $0.hasPrefix("~- server RST") }, "an end elsewhere may have sent it")
  }

  /// An end that had given up has no socket any more; its host answers with a RST.
  @Test func hostWithoutTheSocket() {
    var script = Self.established()
    script.go(.client, .closed, at: 100_000) { $0.reason = .timeout }
    script.go(.server, .closed, at: 200_000) { $0.reason = .resetReceived }
    #expect(script.steps().contains { $0.hasPrefix("~- client RST") })
  }

  // MARK: - Both ends' states

  /// Until a reading found the server gone it may have been open: its state isn't known in the client's steps.
  @Test(arguments: [(UInt64?.some(50_000_000), [TCPState?.none, .closed]), (nil, [nil, nil])])
  func endFoundLater(_ error: UInt64?, _ states: [TCPState?]) throws {
    var script = Self.established()
    script.go(.server, .closed, at: 100_000) {
      $0.reason = .unknown
      $0.source = .derived
      $0.timeKind = .atLeast
      $0.timeErrorNanoseconds = error
    }
    script.go(.client, .finWait1, at: 120_000)
    script.go(.client, .closed, at: 160_000) { $0.reason = .timeout }
    let steps = try #require(script.lives().first).steps
    let server = steps.filter { $0.side == .client && $0.phase == .close && $0.state != nil }.map(\.serverState)
    #expect(server == states)
    #expect(steps.last?.clientState == .closed, "an end's own state is known")
  }

  /// A request's age has a grain of a millisecond, but the client's ESTABLISHED comes after it.
  @Test func requestBeforeItsAnswer() throws {
    var script = LifeScript()
    script.go(.client, .synSent, at: 0)
    script.go(.client, .established, at: 400)
    script.go(.server, .synReceived, at: 900) {
      $0.source = .derived
      $0.timeKind = .atMost
      $0.timeErrorNanoseconds = 1_001_000
    }
    let steps = try #require(script.lives().first).steps
    let received = try #require(steps.first { $0.state == .synReceived })
    #expect(received.time == LifeScript.start, "not before the SYN")
    #expect((received.timeKind, received.timeError) == (.atLeast, 400_000), "nor after the client's ESTABLISHED")
    #expect(received.clientState != .established)
    #expect(steps.first?.serverState == .listen)
  }

  /// The kernel reports a listener's child only at the end of the handshake. If that is the last that is known of it,
  /// it answered the SYN at that time or earlier; a request that a reading found has a time of its own.
  @Test(arguments: [(Source.event, TimeKind.atMost), (.snapshot, .exact)])
  func childOfUnknownStay(_ source: Source, _ kind: TimeKind) throws {
    var script = LifeScript()
    script.go(.server, .synReceived, at: 900) { row in
      (row.source, row.timeKind, row.stay) = (source, .exact, nil)
    }
    let life = try #require(script.lives([.server]).first)
    let answer = try #require(life.steps.first { $0.side == .server })
    #expect(LifeScript.describe(answer).hasPrefix("2 server SYN ACK"))
    #expect(answer.time == LifeScript.start + 900_000)
    #expect(answer.timeKind == kind)
  }

  // MARK: - One socket

  @Test func selfConnect() {
    var script = LifeScript()
    script.client.peer = script.client.local
    script.go(.client, .synSent, at: 0)
    script.go(.client, .synReceived, at: 10)
    script.go(.client, .established, at: 12)
    script.go(.client, .finWait1, at: 100) { ($0.finCall, $0.unsentBytes) = (.shutdown, 0) }
    script.go(.client, .closing, at: 110)
    script.go(.client, .timeWait, at: 112)
    let steps = script.steps([.client])
    #expect(!steps.contains { $0.contains("server") }, "\(steps)")
    #expect(steps.contains("1 client shutdown"))
    #expect(script.lives([.client]).first?.initialState(of: .server) == nil)
  }
}
