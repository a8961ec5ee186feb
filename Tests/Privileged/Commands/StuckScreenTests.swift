// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

extension Privileged {
  /// What people see while nothing happens, and what they do about stuck sockets.
  @Suite struct StuckScreenTests {
    /// The command that `stuck` shows ends the sockets, and nothing else in CLOSE-WAIT.
    @Test(arguments: ["127.0.0.1", "::1"]) func endCommand(_ address: String) throws {
      let pair = try Pair()
      let port = try pair.connect(address).port
      try pair.client.ask("shutdown c")
      // Another one, on another port.
      let other = try pair.server.ask("listen m \(address)").port
      try pair.client.ask("connect d \(address) \(other)")
      try pair.client.ask("shutdown d")
      func stuck(_ port: Int) throws -> ChildProcess {
        try ChildProcess.run([
          Tracer.binary, "stuck", "--older-than", "1ms", "--netns", pair.namespace.path, "-L", "\(port)",
        ])
      }
      Clocks.pass(milliseconds: 300)
      let found = try stuck(port)
      #expect(found.ending == .exited(1), "\(found.errorText)")
      let line = try #require(
        found.outputText.split(separator: "\n").first { $0.hasPrefix("To end it by force: sudo ") })
      #expect(line.contains("ip netns exec \(pair.namespace.name) ss -K state close-wait"), "\(line)")
      let command = line.dropFirst("To end it by force: sudo ".count)
      let run = try ChildProcess.run(["sh", "-c", String(command)])
      #expect(run.ending == .exited(0), "\(run.errorText)")
      #expect(try stuck(port).ending == .exited(0))
      #expect(try stuck(other).ending == .exited(1))
    }

    /// For each process once, and again as the number of its sockets doubles.
    @Test func commandByProcess() throws {
      let folder = try TemporaryFolder()
      let reported = folder.file("reported")
      let namespace = try NetworkNamespace()
      let watcher = try ChildProcess([
        Tracer.binary, "stuck", "--watch", "--older-than", "100ms", "--netns", namespace.path, "--for", "60s",
        "--exec-by",
        "process", "--exec", "echo \"$TCPSTATE_COUNT $TCPSTATE_LISTENER_PID\" >> \(reported); echo ran >&2",
      ])
      try watcher.read(until: Deadline(seconds: 60), "to start") { $0.errorText.contains("Watching for sockets") }
      let (client, server) = (try Privileged.peer(in: namespace), try Privileged.peer(in: namespace))
      let port = try server.ask("listen l 127.0.0.1").port
      for name in ["a", "b", "c", "d", "e"] {
        try client.ask("connect \(name) 127.0.0.1 \(port)")
        try client.ask("shutdown \(name)")
      }
      try watcher.read(until: Deadline(seconds: 60), "three runs") { $0.errorLines.count { $0 == "ran" } == 3 }
      watcher.send(SIGINT)
      #expect(try watcher.wait(until: Deadline(seconds: 60)) == .exited(1))
      let lines = String(decoding: try TemporaryFolder.bytes(reported), as: UTF8.self).split(separator: "\n")
      #expect(lines == ["1 \(server.pid)", "2 \(server.pid)", "4 \(server.pid)"])
      // At the end: whose they are, and that all of them are new.
      #expect(watcher.outputText.contains("SOCKETS  NEW"), "\(watcher.outputText)")
      #expect(
        watcher.outputText.split(separator: "\n").contains {
          $0.hasPrefix("python3/\(server.pid)") && $0.contains("   5   +5")
        })
    }

    /// While nothing happens a line says so; it makes room for the first row.
    @Test(.enabled(if: Tmux.isThere, "needs tmux")) func quiet() throws {
      let pair = try Pair()
      let terminal = try Terminal("\(Tracer.binary) trace --netns \(pair.namespace.path)")
      try terminal.resize(120, 30)
      try terminal.screen("that nothing happens") {
        $0.contains("No transitions for ") && $0.contains("connections open")
      }
      try pair.connect()
      let screen = try terminal.screen("a row") { $0.contains("→ ESTABLISHED") }
      for line in screen.split(separator: "\n") where line.contains("→") { #expect(!line.contains("No transitions")) }
      try terminal.screen("quiet again") { $0.contains("No transitions for 1.00 s") }
    }

    /// A report counts down.
    @Test(.enabled(if: Tmux.isThere, "needs tmux")) func countdown() throws {
      let folder = try TemporaryFolder()
      let pair = try Pair()
      let terminal = try Terminal(
        "\(Tracer.binary) report --for 5s --netns \(pair.namespace.path) --output \(folder.file("t.html")); cat")
      try terminal.screen("the countdown") { $0.contains("3.00 s left") }
      try terminal.screen("the end") { $0.contains("connections in ") && !$0.contains(" left") }
    }
  }
}
