// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

extension Privileged {
  /// What the keys and the mouse of `top` do, in a real terminal: tmux's.
  @Suite(.enabled(if: Tmux.isThere, "needs tmux")) struct TopKeysTests {
    private static func top(_ pair: Pair, _ options: String = "", environment: String = "") throws -> Terminal {
      try Terminal(
        "env \(environment) \(Tracer.binary) top --netns \(pair.namespace.path) \(options); echo status $?; cat")
    }

    private static func place(_ screen: String, _ text: String) throws -> (column: Int, line: Int) {
      for (number, line) in screen.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
        if let range = line.range(of: text) {
          return (line.distance(from: line.startIndex, to: range.lowerBound) + 1, number + 1)
        }
      }
      throw TestFailure("\(text) isn't on the screen: \(screen)")
    }

    @Test func sortingFilteringAndPausing() throws {
      let pair = try Pair()
      try pair.connect()
      let (client, server) = (pair.client.pid, pair.server.pid)
      let terminal = try Self.top(pair)
      try terminal.screen("both") { $0.contains("python3/\(client)") && $0.contains("2 sort worst") }
      try terminal.press("a")
      try terminal.screen("by age") { $0.contains("2 sort age") && $0.contains("AGE▼") }
      try terminal.press("a")
      try terminal.screen("the other way round") { $0.contains("sort age reversed") && $0.contains("AGE▲") }
      try terminal.press("/")
      for letter in "python3 -server" { try terminal.press(letter == " " ? "Space" : String(letter)) }
      try terminal.press("Enter")
      try terminal.screen("one of them, in the header too") {
        $0.contains("1 sort age reversed") && $0.contains("ESTABLISHED       1") && !$0.contains("/\(server) ")
      }
      try terminal.press("Escape", "Space")
      try terminal.screen("a standing board") { $0.contains("PAUSED") && $0.contains("2 sort age") }
      try pair.client.ask("shutdown c")
      try terminal.press("j", "k")
      let paused = try terminal.screen("still standing") { $0.contains("PAUSED") }
      #expect(paused.contains("ESTABLISHED  python3") && !paused.contains("CLOSE-WAIT   python3"))
      try terminal.press("Space")
      try terminal.screen("what has happened meanwhile") { $0.contains("CLOSE-WAIT   python3/\(server)") }
      try terminal.press("t", "q")
      try terminal.screen("the end") { $0.contains("status 0") }
    }

    @Test func timeWaitInOneLine() throws {
      let pair = try Pair()
      try pair.connect()
      try pair.close(first: pair.client, then: pair.server)
      let terminal = try Self.top(pair)
      try terminal.screen("the fold") { $0.contains("+ TIME-WAIT 1, oldest") || $0.contains("- TIME-WAIT 1, oldest") }
      let port = try pair.server.ask("listen m 127.0.0.1").port
      try pair.client.ask("connect d 127.0.0.1 \(port)")
      try pair.server.ask("accept m d")
      try terminal.screen("the fold behind the others") { $0.contains("+ TIME-WAIT 1, oldest") }
      try terminal.press("End", "Enter")
      try terminal.screen("what is in it") { $0.contains("- TIME-WAIT 1, oldest") && $0.contains(" TIME-WAIT    ") }
      try terminal.press("q")
    }

    @Test func mouse() throws {
      let pair = try Pair()
      try pair.connect()
      let (client, server) = (pair.client.pid, pair.server.pid)
      let terminal = try Self.top(pair)
      var screen = try terminal.screen("both") { $0.contains("python3/\(client)") && $0.contains("python3/\(server)") }
      #expect(try terminal.wantsMouse())
      let title = try Self.place(screen, "PEER")
      try terminal.click(title.column, title.line)
      screen = try terminal.screen("sorted by peer") { $0.contains("sort peer") && $0.contains("PEER▼") }
      try terminal.send("\u{1b}[<65;5;12M")
      screen = try terminal.screen("the wheel moves the mark") {
        $0.split(separator: "\n").filter { $0.contains("python3/") }.last?.hasPrefix(">") ?? false
      }
      let row = try Self.place(screen, "python3/")
      try terminal.click(20, row.line)
      try terminal.screen("the first is chosen") {
        $0.split(separator: "\n").first { $0.contains("python3/") }?.hasPrefix(">") ?? false
      }
      try terminal.click(20, row.line)
      try terminal.screen("and opened") { $0.contains("payload") && $0.contains("holders") }
      try terminal.press("Escape", "m")
      try terminal.screen("the mouse is off") { $0.contains("mouse off") }
      #expect(try !terminal.wantsMouse())
      try terminal.press("q")
      try terminal.screen("the end") { $0.contains("status 0") }
      #expect(try !terminal.wantsMouse(), "the terminal has its mouse back")
    }

    @Test func ladder() throws {
      let pair = try Pair()
      let terminal = try Self.top(pair)
      try terminal.resize(120, 40)
      try terminal.screen("nothing") { $0.contains("0 sort worst") }
      try pair.connect()
      try pair.client.ask("shutdown c")
      try terminal.screen("the connection") { $0.contains("CLOSE-WAIT   python3/\(pair.server.pid)") }
      try terminal.press("L")
      try terminal.screen("both ends, and every step") { screen in
        [
          "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1", "CLOSE-WAIT", "SYN ACK",
          "python3/\(pair.server.pid)",
        ]
        .allSatisfy { screen.contains($0) }
      }
      try terminal.press("q")
    }

    @Test func copying() throws {
      let pair = try Pair()
      let port = try pair.connect().port
      let terminal = try Self.top(pair, "-L \(port)")
      try terminal.allowClipboard()
      try terminal.screen("the connection") { $0.contains("1 sort worst") }
      try terminal.press("y")
      let line = try terminal.clipboard()
      #expect(line.contains("  ESTABLISHED  python3/\(pair.server.pid)  127.0.0.1:\(port)  127.0.0.1:"), "\(line)")
      try terminal.screen("that it did") { $0.contains("copied") }
      try terminal.press("q")
    }

    /// The list and the settings are files of the user who called sudo, written with that user's rights.
    @Test func filesOfTheInvokingUser() throws {
      let pair = try Pair()
      try pair.connect()
      let folder = try TemporaryFolder()
      _ = try ChildProcess.run(["chown", "65534:65534", folder.path])
      let (user, file) = (
        "SUDO_UID=65534 SUDO_GID=65534 XDG_CONFIG_HOME=\(folder.path)/x", folder.file("x/tcpstate-trace/config")
      )
      let terminal = try Terminal(
        "cd \(folder.path); env \(user) \(Tracer.binary) top --netns \(pair.namespace.path) --theme light; echo status $?; cat"
      )
      try terminal.screen("the list") { $0.contains("2 sort worst") }
      try terminal.resize(160, 30)
      try terminal.press("w")
      let screen = try terminal.screen("the name of the file") {
        $0.contains("2 connections written to tcpstate-trace-top-")
      }
      let name = try #require(screen.firstMatch(of: /tcpstate-trace-top-\S+\.csv/)).output
      let rows = String(decoding: try TemporaryFolder.bytes(folder.file(String(name))), as: UTF8.self).split(
        separator: "\n")
      #expect(
        rows.count == 3 && rows[0].hasPrefix("timestamp,") && rows[1].contains(",established,established,"), "\(rows)")
      try terminal.press("b", "g", "W")
      try terminal.screen("where the settings are") { $0.contains("settings saved in \(file)") }
      for path in [folder.file(String(name)), file] {
        let owner = try ChildProcess.run(["stat", "-c", "%u:%g %a", path]).outputText
        #expect(owner == "65534:65534 600\n", "\(path): \(owner)")
      }
      try terminal.press("q")
      try terminal.screen("the end") { $0.contains("status 0") }
      let again = try Self.top(pair, environment: user)
      try again.screen("what was saved") { $0.contains("2 by process") }
      try again.press("Enter")
      try again.screen("the order, too") { $0.contains("sort bytes") }
      try again.press("q")
    }

    /// A folder that is a stranger's link isn't followed, and a file with nonsense gets one line.
    @Test func settingsThatCantBeTrusted() throws {
      let pair = try Pair()
      let folder = try TemporaryFolder()
      let target = folder.file("target")
      try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(atPath: folder.file("tcpstate-trace"), withDestinationPath: target)
      _ = try ChildProcess.run(["chown", "-h", "12345", folder.file("tcpstate-trace")])
      let environment = "XDG_CONFIG_HOME=\(folder.path)"
      let linked = try Self.top(pair, environment: environment)
      try linked.resize(160, 30)
      try linked.screen("that they aren't read") { $0.contains("is not read: it is in a symbolic link of user 12345") }
      try linked.press("W")
      try linked.screen("nor written") { $0.contains("settings not saved in") && $0.contains("link of user 12345") }
      #expect(try FileManager.default.contentsOfDirectory(atPath: target).isEmpty)
      try linked.press("q")
      try linked.screen("the end") { $0.contains("status 0") }
      try FileManager.default.removeItem(atPath: folder.file("tcpstate-trace"))
      try FileManager.default.createDirectory(
        atPath: folder.file("tcpstate-trace"), withIntermediateDirectories: true)
      try "top.sort = age\ntop.theme = pink\u{1b}[2J\n".write(
        toFile: folder.file("tcpstate-trace/config"), atomically: false, encoding: .utf8)
      let bad = try Self.top(pair, environment: environment)
      try bad.resize(160, 30)
      try bad.screen("what is wrong") {
        $0.contains("tcpstate-trace/config, line 2: 'pink\\x1b[2J' is none of dark, light, mono")
          && $0.contains("sort age")
      }
      try bad.press("q")
    }

    /// Bytes and round-trip times of the rows on the screen are those that `ss` shows.
    @Test func countersEqualThoseOfSS() throws {
      let pair = try Pair()
      try pair.connect()
      let terminal = try Self.top(pair)
      try terminal.resize(200, 30)
      try terminal.screen("the columns") { $0.contains("RECV/S") && $0.contains("RTT") && $0.contains("2 sort worst") }
      for (sent, total) in [(123_457, "123,457 B"), (1_000_000, "1,123,457 B")] {
        try pair.client.ask("send c \(sent)")
        try pair.server.ask("receive c \(sent)")
        let ss = try ChildProcess.run(pair.namespace.command(["ss", "-tinOH"])).outputText
        let expected = try ss.split(separator: "\n").map { try Self.words(ofSS: $0) }
        #expect(expected.count == 2)
        let screen = try terminal.screen("what ss shows: \(expected)") { screen in
          let rows = screen.split(separator: "\n").map { Set($0.split(separator: " ")) }
          return expected.allSatisfy { words in rows.contains { $0.isSuperset(of: words) } }
        }
        #expect(screen.split(separator: "\n").count { $0.contains(total) } == 2, "\(screen)")
      }
      try terminal.press("q")
    }

    /// The words that a row must have for a line of `ss -tinOH`: the addresses, the numbers of bytes sent and received,
    /// and of the round-trip time.
    private static func words(ofSS line: Substring) throws -> [Substring] {
      let words = line.split(separator: " ")
      func value(_ name: String) -> Substring? {
        words.first { $0.hasPrefix(name + ":") }?.dropFirst(name.count + 1)
      }
      let milliseconds = try #require(value("rtt")?.split(separator: "/").first.flatMap { Double($0) })
      let rtt = milliseconds < 1 ? milliseconds * 1000 : milliseconds
      let format = rtt < 9.995 ? "%.2f" : rtt < 99.95 ? "%.1f" : "%.0f"
      let bytes = ["bytes_sent", "bytes_received"].map { Self.grouped(UInt64(value($0) ?? "0") ?? 0) }
      return [words[3], words[4]] + (bytes + [String(format: format, rtt)]).map { Substring($0) }
    }

    /// `1,123,457`.
    private static func grouped(_ count: UInt64) -> String {
      var digits = String(count)
      for place in stride(from: digits.count - 3, to: 0, by: -3) {
        digits.insert(",", at: digits.index(digits.startIndex, offsetBy: place))
      }
      return digits
    }
  }
}
