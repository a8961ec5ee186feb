// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

extension Privileged {
  /// `top` in a real terminal: tmux's.
  @Suite(.enabled(if: Tmux.isThere, "needs tmux")) struct TopTests {
    @Test func keysAndRestoration() throws {
      let pair = try Pair()
      try pair.connect()
      try pair.client.ask("shutdown c")
      let terminal = try Terminal(
        "echo before; stty -g; \(Tracer.binary) top --netns \(pair.namespace.path); echo status $?; stty -g; cat")
      try terminal.screen("the list") {
        $0.contains("CLOSE-WAIT   python3/\(pair.server.pid)") && $0.contains("FIN-WAIT-2   python3/\(pair.client.pid)")
      }
      try terminal.press("g")
      try terminal.screen("groups, one chosen") {
        $0.contains("PROCESS") && $0.contains("FIN-WAIT-2 1") && $0.contains("\n>python3/")
      }
      try terminal.press("Enter")
      try terminal.screen("the group's connections") { $0.contains("1 of python3/") && $0.contains("STATES") }
      try terminal.press("Escape")
      try terminal.screen("the groups again") { $0.contains("2 by process") }
      try terminal.press("g", "g", "g", "g", "/", "c", "l", "o", "s", "e", "-", "w")
      try terminal.screen("the filter") { $0.contains("/close-w_") && $0.contains("CLOSE-WAIT   python3") }
      try terminal.press("Enter", "Enter")
      try terminal.screen("the detail, as just read") {
        $0.contains("server python3") && $0.contains("holders   python3/\(pair.server.pid) fd ")
          && $0.contains("unread 0,") && $0.contains("(held") && $0.contains("congestion 10 packets")
      }
      try terminal.press("Escape", "?")
      try terminal.screen("the help") { $0.contains("group by process, container, peer or port") }
      try terminal.resize(130, 30)
      try terminal.press("?")
      try terminal.screen("the wide list") { $0.contains("SENT/S") }
      try terminal.resize(80, 24)
      try terminal.press("q")
      let after = try terminal.screen("the end") {
        $0.contains("status 0") && $0.split(separator: "\n").last != "status 0"
      }
      let settings = after.split(separator: "\n").filter { $0.contains(":") && $0.count > 40 }
      #expect(settings.count == 2 && Set(settings).count == 1, "\(after)")
      #expect(after.contains("before"))
    }

    /// A client whose port turns out to be another is neither listed nor counted.
    @Test func onePort() throws {
      let pair = try Pair()
      let terminal = try Terminal("\(Tracer.binary) top --netns \(pair.namespace.path) -L 40000; cat")
      try terminal.screen("the list") { $0.contains("transitions/s") }
      try pair.connect()
      try pair.client.ask("listen wanted 127.0.0.1 40000")
      try pair.server.ask("connect wanted 127.0.0.1 40000")
      try terminal.screen("the one with the port alone") {
        $0.contains("1 sort worst") && $0.contains("ESTABLISHED       1")
      }
    }

    /// What can't be seen is said within the board, in full in its help, and nowhere across it.
    @Test func notes() throws {
      let namespace = try NetworkNamespace()
      let peer = try Privileged.peer(in: namespace)
      let program = try Unprivileged()
      let rights = Unprivileged.with(["bpf", "perfmon"]).joined(separator: " ")
      let terminal = try Terminal(
        "clear; \(rights) \(program.binary) top --max-connections 5 --netns \(namespace.path); cat")
      try terminal.screen("what it may not see") {
        $0.contains("\nwithout CAP_SYS_ADMIN only this") && $0.contains("? shows all\n")
      }
      let port = try peer.ask("listen l 127.0.0.1").port
      try peer.ask("crowd_connect 127.0.0.1 \(port) 6")
      try terminal.screen("that there are too many") {
        $0.contains("\n5 connections are tracked") && $0.contains("? shows all 2\n")
      }
      try terminal.press("?")
      let help = try terminal.screen("both in full") {
        $0.contains("half-open and orphaned sockets of") && $0.contains("durations of new connections may be")
      }
      #expect(help.split(separator: "\n").count { $0.contains("connections are tracked") } == 1, "\(help)")
      #expect(!help.contains("tcpstate-trace:"), "\(help)")
      try terminal.press("q")
    }

    /// A signal gives the terminal back too.
    @Test(arguments: ["TERM", "INT", "HUP"]) func signals(_ signal: String) throws {
      let namespace = try NetworkNamespace()
      let folder = try TemporaryFolder()
      let pidFile = folder.file("pid")
      let terminal = try Terminal(
        "echo before; sh -c 'echo $$ > \(pidFile); exec \(Tracer.binary) top --netns \(namespace.path)'; echo status $?; cat"
      )
      try terminal.screen("the list") { $0.contains("transitions/s") }
      let pid = String(decoding: try TemporaryFolder.bytes(pidFile), as: UTF8.self).filter(\.isNumber)
      _ = try ChildProcess.run(["kill", "-\(signal)", pid])
      let after = try terminal.screen("the end") { $0.contains("status 0") }
      #expect(after.contains("before"))
    }

    /// An error that ends it gives the terminal back, and is printed there.
    @Test func errors() throws {
      let pair = try Pair()
      let folder = try TemporaryFolder()
      let pidFile = folder.file("pid")
      let terminal = try Terminal(
        "echo before; sh -c 'echo $$ > \(pidFile); exec \(Tracer.binary) top --netns \(pair.namespace.path)'; echo status $?; cat"
      )
      try terminal.screen("the list") { $0.contains("transitions/s") }
      let pid = String(decoding: try TemporaryFolder.bytes(pidFile), as: UTF8.self).filter(\.isNumber)
      // Its tables can't be read any more, which TIME-WAIT asks for.
      let run = try ChildProcess.run(["prlimit", "--pid", pid, "--nofile=3:3"])
      #expect(run.ending == .exited(0), "\(run.errorText)")
      try pair.connect()
      try pair.close(first: pair.client, then: pair.server)
      let screen = try terminal.screen("the end") { $0.contains("status 69") }
      #expect(screen.contains("before") && screen.contains("Too many open files"), "\(screen)")
    }

    /// A recording, without privileges: its end, a moment of it, and back and forth by keys.
    @Test func recording() throws {
      let pair = try Pair()
      let folder = try TemporaryFolder()
      let file = folder.file("t.csv")
      let tracer = try Tracer(["--output", file], of: pair.namespace)
      let port = try pair.connect().port
      try pair.client.ask("shutdown c")
      Clocks.pass(milliseconds: 300)
      try pair.server.ask("close c")
      try tracer.stop()
      let user = "setpriv --reuid 65534 --clear-groups --inh-caps=-all"
      _ = try ChildProcess.run(["chmod", "-R", "a+rX", folder.path])
      let terminal = try Terminal("\(user) \(Tracer.binary) top --read \(file) -L \(port); echo status $?; cat")
      try terminal.screen("the end of the recording") { $0.contains("0 sort worst") && $0.contains("t.csv") }
      // The last transition before it: the server is in LAST-ACK; before that in CLOSE-WAIT for 300 ms.
      try terminal.press(",")
      try terminal.screen("LAST-ACK") { $0.contains(" LAST-ACK     python3/\(pair.server.pid)") }
      try terminal.press("-", ",", ",")
      try terminal.screen("before") { $0.contains(" CLOSE-WAIT   python3/\(pair.server.pid)") }
      try terminal.press("Enter")
      try terminal.screen("the detail") { $0.contains("not in a recording") && $0.contains("windows   send –") }
      try terminal.press("Escape", "0")
      try terminal.screen("the start") { $0.contains(" +0 ns of ") }
      try terminal.press("?")
      try terminal.screen("the keys") { $0.contains("step back or forward in time") }
      try terminal.press("q")
      try terminal.screen("the end") { $0.contains("status 0") }
    }

    /// The header counts what the filter lets through, not what it hides.
    @Test func countsByFilter() throws {
      let pair = try Pair()
      try pair.connect()
      for (options, count) in [
        ("--pid \(pair.client.pid)", 1), ("--pid \(pair.client.pid),\(pair.server.pid)", 2), ("--process nobody", 0),
        ("--state close-wait", 0),
      ] {
        let terminal = try Terminal("\(Tracer.binary) top --netns \(pair.namespace.path) \(options); cat")
        try terminal.screen("\(options): \(count)") {
          $0.contains("\n\(count) sort worst") && Self.count($0, "ESTABLISHED") == count
        }
        try terminal.press("q")
      }
    }

    /// The number after a state's name, in the header.
    private static func count(_ screen: String, _ state: String) -> Int? {
      guard let place = screen.range(of: state) else { return nil }
      return Int(screen[place.upperBound...].prefix { $0 == " " || $0.isNumber }.filter(\.isNumber))
    }

    /// Bytes are those of now, although no event reports them.
    @Test func currentBytes() throws {
      let pair = try Pair()
      try pair.connect()
      let terminal = try Terminal("\(Tracer.binary) top --netns \(pair.namespace.path); cat")
      try terminal.resize(170, 30)
      try terminal.screen("the columns") {
        $0.contains("RECEIVED") && $0.contains("ESTABLISHED  python3/\(pair.client.pid)")
      }
      try pair.client.ask("send c 54321")
      try terminal.screen("the bytes") { $0.split(separator: "\n").count { $0.contains("54,321 B") } == 2 }
      try terminal.resize(80, 24)
      try terminal.press("Enter")
      try terminal.screen("the detail") { $0.contains("54,321 B,") && $0.contains("payload") }
      try terminal.press("q")
    }

    @Test func refusesAPipe() throws {
      let run = try ChildProcess.run([Tracer.binary, "top"])
      #expect(run.ending == .exited(64) && run.errorText.contains("top needs a terminal"))
    }
  }
}
