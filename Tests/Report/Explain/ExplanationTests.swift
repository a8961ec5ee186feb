// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TestSupport
import Testing

@testable import TCPStateReport

/// What `explain` says about each state, verdict and reason.
@Suite struct ExplanationTests {
  @Test func everythingIsExplained() {
    for state in TCPState.all {
      for spelling in [StateSpelling.rfc, .openTelemetry, .kernel] where state.name(spelling) != "CLOSE" {
        let found = Explanation.named(state.name(spelling))
        #expect(found?.title == state.name(.rfc) && found?.meaning.isEmpty == false)
      }
      #expect(state == .closed || Explanation.of(state).states == [state.number])
    }
    for verdict in Verdict.allCases where verdict != .closing {
      let found = Explanation.named(verdict.name.description)
      #expect(found?.actor?.isEmpty == false, "\(verdict)")
    }
    for reason in Reason.allCases where reason != .unknown {
      let found = Explanation.named(reason.name.description)
      #expect(found != nil && found?.meaning != Explanation.of(Reason.unknown).meaning, "\(reason)")
    }
  }

  /// Every state but CLOSED says who acts; a state in which this host waits names its timer.
  @Test func statesSayWhoActs() {
    for state in TCPState.all where state != .closed {
      #expect(Explanation.of(state).actor != nil, "\(state)")
      if state != .listen { #expect(Explanation.of(state).timer != nil, "\(state)") }
    }
  }

  @Test func namesAreDifferent() {
    let names = Explanation.names
    #expect(Set(names).count == names.count)
    #expect(Explanation.named("close")?.drawing != nil)
    #expect(Explanation.named("nothing") == nil && Explanation.named("") == nil)
    #expect(Explanation.named("Fin Wait 2")?.title == "FIN-WAIT-2" && Explanation.named("RESET-RECEIVED") != nil)
  }

  @Test(arguments: [60, 80, 100, 200])
  func fitsTheWidth(_ width: Int) {
    for (name, explanation) in Explanation.all {
      for line in explanation.text(Explanation.Host(), width: width).split(separator: "\n") {
        // A drawing and a word are as wide as they are.
        guard explanation.drawing?.contains(line) != true, line.split(separator: " ").count > 1 else { continue }
        #expect(line.count <= width, "\(name): \(line)")
      }
    }
  }

  @Test func hostsFacts() {
    let host = Explanation.Host(settings: ["tcp_fin_timeout": "60"], count: 1234)
    let text = Explanation.of(TCPState.finWait2).text(host, width: 80)
    #expect(text.contains("net.ipv4.tcp_fin_timeout = 60\n") && text.contains("1,234 in it now"))
    #expect(!Explanation.of(TCPState.finWait2).text(Explanation.Host(), width: 80).contains("This host"))
  }
}
