// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TestSupport
import Testing

/// A step shows a segment only if it was on the wire.
@Suite struct UnsentSegmentsTests {
  private static func connecting() -> LifeScript {
    var script = LifeScript()
    script.go(.client, .synSent, at: 0) { ($0.initialSendSequence, $0.initialReceiveSequence) = (nil, nil) }
    return script
  }

  /// connect() failed before the SYN, by its reason or by what was counted.
  @Test(arguments: [(Reason.noPort, UInt32?.none), (.noRoute, nil), (.aborted, 0), (.unknown, 0)])
  func noSyn(_ reason: Reason, _ segments: UInt32?) {
    var script = Self.connecting()
    script.go(.client, .closed, at: 4) {
      $0.reason = reason
      $0.segmentsSent = segments
    }
    let steps = script.steps()
    #expect(steps.first == "1 client SYN-SENT")
    #expect(steps.allSatisfy { !$0.contains("SYN ") && !$0.contains("RST") }, "\(steps)")
  }

  /// The RST of a port that isn't open counts as received; an ICMP error doesn't.
  @Test(arguments: [(UInt32?.none, true), (1, true), (0, false)])
  func refusals(_ received: UInt32?, _ isReset: Bool) {
    var script = Self.connecting()
    script.go(.client, .closed, at: 60) {
      $0.reason = .refused
      $0.segmentsReceived = received
    }
    #expect(script.steps().contains { $0.contains("RST") } == isReset)
    #expect(script.steps().first == "1 client SYN ? SYN-SENT" || !isReset)
  }

  @Test(arguments: [Reason.unreachable, .prohibited])
  func icmpErrors(_ reason: Reason) {
    var script = Self.connecting()
    script.go(.client, .closed, at: 60) { $0.reason = reason }
    #expect(script.steps() == ["1 client SYN ? unanswered SYN-SENT", "- client CLOSED (\(reason.name))"])
  }

  /// TCP_REPAIR: no RST as it takes the connection away, no handshake as it brings it back.
  @Test func repair() {
    var script = LifeScript()
    script.handshake()
    script.go(.client, .closed, at: 100_000) { $0.reason = .repair }
    #expect(script.steps().last == "- client CLOSED (repair)")

    script = Self.connecting()
    script.go(.client, .established, at: 9) { ($0.segmentsSent, $0.segmentsReceived) = (0, 0) }
    #expect(script.steps() == ["1 client SYN-SENT", "- client ESTABLISHED"])
    #expect(script.lives().first?.initialState(of: .server) == nil, "nobody was asked")
  }

  /// Closing a listener resets what it has accepted for its queue, but drops a half-open request without a word.
  @Test(arguments: [(Source.derived, false), (.event, true)])
  func closedListener(_ source: Source, _ isReset: Bool) {
    var script = LifeScript()
    script.go(.server, .synReceived, at: 0) { $0.source = source }
    script.go(.server, .closed, at: 3_000_000) {
      $0.source = source
      $0.reason = .unaccepted
    }
    #expect(script.steps([.server]).contains { $0.contains("RST") } == isReset)
  }
}
