// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

extension Privileged {
  /// `summary` refreshed in place in a real terminal.
  @Suite(.enabled(if: Tmux.isThere, "needs tmux")) struct SummaryScreenTests {
    private static func lives(_ pair: Pair, _ rounds: Int) throws {
      for _ in 0..<rounds {
        try pair.connect()
        try pair.close(first: pair.client, then: pair.server)
        try pair.server.ask("close l")
      }
    }

    private static func has(_ stays: Int, _ screen: String) -> Bool {
      screen.split(separator: "\n").contains {
        let words = $0.split(separator: " ")
        return words.count > 2 && words[0] == "CLOSE-WAIT" && words[1] == "\(stays)"
      }
    }

    /// However often a picture as high as the screen is drawn, and after Ctrl-C, only the last one is there to
    /// be seen or scrolled to, whole.
    @Test func onePicture() throws {
      let pair = try Pair()
      let terminal = try Terminal(
        "\(Tracer.binary) summary --histogram --by role --netns \(pair.namespace.path); echo status $?; cat")
      try terminal.screen("the first picture") { $0.contains("OPEN NOW") }
      try Self.lives(pair, 4)
      // Each round of these is seen before the next.
      for round in 1...3 {
        try terminal.screen("picture \(round), cut at the bottom") {
          $0.contains("…") && Self.has(round + 3, $0)
        }
        try Self.lives(pair, 1)
      }
      try terminal.press("C-c")
      let all = try terminal.screen("the end", scrolled: true) { $0.contains("status 0") }
      #expect(all.components(separatedBy: "OPEN NOW").count == 2, "\(all)")
      #expect(!all.contains("…") && !all.contains("^C"), "\(all)")
      #expect(Self.has(7, all), "\(all)")
      #expect(all.contains("ENDED BY") && all.contains("0 lost, 0 unmatched."), "\(all)")
    }
  }
}
