// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import Testing

@Suite struct ReasonTests {
  /// Every spelling of every reason, as users meet it.
  @Test(arguments: [
    (Reason.fin, "fin", "fin", nil), (.resetReceived, "reset_received", "reset received", "reset by the peer"),
    (.resetSent, "reset_sent", "reset sent", "reset"), (.timeout, "timeout", "timed out", "timed out"),
    (.refused, "refused", "refused", "refused"), (.unreachable, "unreachable", "unreachable", "unreachable"),
    (.aborted, "aborted", "aborted", "aborted"), (.killed, "killed", "killed", "killed"),
    (.prohibited, "prohibited", "prohibited", "administratively prohibited"),
    (.noPort, "no_port", "no local port", "no local port was free"),
    (.noRoute, "no_route", "no route", "no route from this host"),
    (.repair, "repair", "repair mode", "taken elsewhere in repair mode"),
    (.unaccepted, "unaccepted", "never accepted", "never accepted"),
    (.reused, "reused", "reused", "reused by a new connection"),
    (.timeWaitOverflow, "overflow", "TIME-WAIT overflow", "TIME-WAIT overflow"),
    (.unknown, "unknown", "unknown", "ended for an unknown reason"),
  ])
  func spellings(_ reason: Reason, _ name: String, _ words: String, _ outcome: String?) {
    #expect(reason.name.description == name)
    #expect(reason.words.description == words)
    #expect(reason.outcome?.description == outcome)
  }

  @Test func onlyLocalFailuresComeBeforeTheSyn() {
    #expect(Reason.allCases.filter(\.isBeforeSyn) == [.noPort, .noRoute])
  }

  @Test func namesAreUnique() {
    #expect(Set(Reason.allCases.map(\.name.description)).count == Reason.allCases.count)
  }
}
