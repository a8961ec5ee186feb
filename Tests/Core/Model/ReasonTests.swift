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
    (.unaccepted, "unaccepted", "never accepted", "never accepted"),
    (.reused, "reused", "reused", "reused by a new connection"),
    (.timeWaitOverflow, "overflow", "TIME-WAIT overflow", "TIME-WAIT overflow"),
    (.unknown, "unknown", "unknown", "the end was not seen"),
  ])
  func spellings(_ reason: Reason, _ name: String, _ words: String, _ outcome: String?) {
    #expect(reason.name.description == name)
    #expect(reason.words.description == words)
    #expect(reason.outcome?.description == outcome)
  }

  @Test func namesAreUnique() {
    #expect(Set(Reason.allCases.map(\.name.description)).count == Reason.allCases.count)
  }
}
