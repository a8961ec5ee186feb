// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent
import Testing

@testable import TCPStateCore

/// What the kernel's →CLOSE means; docs/states.md has the kernel's functions.
@Suite struct EndingTests {
  private static let owned = TCPSTATE_FLAG_OWNED
  private static let socket = TCPSTATE_FLAG_HAS_SOCKET
  private static let done = TCPSTATE_FLAG_DONE

  private func ending(_ old: TCPState, flags: Int32 = 0, error: UInt16 = 0, linger2: Int32 = 0) -> Ending {
    var event = EventBuilder.transition(old, .closed, flags: flags, error: error)
    event.linger2 = linger2
    return withUnsafePointer(to: event) { Ending($0, old: old) }
  }

  @Test func timeWait() {
    #expect(ending(.finWait2, flags: Self.done) == .timeWait)
    #expect(ending(.finWait2, flags: Self.done | Self.owned) == .timeWait)
    #expect(ending(.finWait2, flags: Self.done | Self.socket) == .timeWait, "half-close: the socket is still open")
    #expect(ending(.closing) == .timeWait)
    #expect(ending(.closing, flags: Self.done | Self.socket) == .timeWait)
  }

  @Test func finWait2Minisock() {
    #expect(ending(.finWait2) == .finWait2Minisock)
    #expect(ending(.finWait2, flags: Self.owned) == .finWait2Minisock)
  }

  /// The ACK of an orphan's FIN ends it at once if data comes with it, or if it may not wait: both are answered by a RST.
  @Test func resetOrphan() {
    #expect(ending(.finWait2, flags: TCPSTATE_FLAG_RESET_SENT) == .closed(.resetSent))
    #expect(ending(.finWait2, linger2: -1) == .closed(.resetSent))
    #expect(ending(.finWait2, flags: Self.done | TCPSTATE_FLAG_RESET_SENT) == .timeWait)
  }

  /// The kernel side knows why nothing was sent; the error, if any, is older.
  @Test(arguments: [
    (TCPSTATE_FLAG_REPAIR, Reason.repair), (TCPSTATE_FLAG_NO_PORT, .noPort), (TCPSTATE_FLAG_NO_ROUTE, .noRoute),
  ])
  func withoutASegment(_ flag: Int32, _ reason: Reason) {
    for old in TCPState.all where old != .listen && old != .closed {
      #expect(ending(old, flags: Self.owned | Self.socket | flag) == .closed(reason), "\(old)")
      #expect(ending(old, flags: Self.owned | Self.done | flag, error: 111) == .closed(reason), "\(old)")
    }
    #expect(ending(.listen, flags: Self.owned | flag) == .closed(nil))
  }

  @Test func abortedFinWait2() {
    #expect(ending(.finWait2, flags: Self.owned, linger2: -1) == .closed(.aborted))
    #expect(ending(.finWait2, flags: Self.owned | Self.socket) == .closed(.aborted), "connect(AF_UNSPEC)")
  }

  @Test func orderlyEnd() {
    #expect(ending(.lastAck) == .closed(.fin))
    #expect(ending(.lastAck, flags: Self.done | Self.owned) == .closed(.fin))
  }

  @Test(arguments: [TCPState.established, .synSent, .closeWait, .synReceived, .finWait1])
  func withoutError(_ old: TCPState) {
    #expect(ending(old, flags: Self.owned) == .closed(.aborted))
    #expect(ending(old, flags: Self.owned | Self.socket) == .closed(.aborted))
    #expect(ending(old, flags: Self.socket) == .closed(.unknown))
    #expect(ending(old) == .closed(.unaccepted))
  }

  @Test(arguments: [
    (UInt16(104), Reason.resetReceived), (32, .resetReceived), (111, .refused), (110, .timeout),
    (113, .unreachable), (101, .unreachable), (103, .killed), (13, .prohibited), (12, .unknown),
  ])
  func byError(_ error: UInt16, _ reason: Reason) {
    for old in TCPState.all where old != .listen && old != .closed {
      #expect(ending(old, error: error) == .closed(reason), "\(old)")
      #expect(ending(old, flags: Self.owned | Self.socket | Self.done, error: error) == .closed(reason), "\(old)")
    }
  }

  @Test func listenersHaveNoReason() {
    #expect(ending(.listen) == .closed(nil))
    #expect(ending(.listen, flags: Self.owned) == .closed(nil))
    #expect(ending(.listen, error: 104) == .closed(nil))
  }
}
