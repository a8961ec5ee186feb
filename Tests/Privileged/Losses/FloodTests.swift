// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

extension Privileged {
  /// Traffic from an attacker who wants the tracer to fail, or to leak what isn't theirs to know.
  @Suite struct FloodTests {
    /// More in TIME-WAIT than may be tracked: all transitions are shown, memory isn't taken, and it says so.
    @Test func timeWaitBeyondTheLimit() throws {
      let namespace = try NetworkNamespace()
      let peer = try Privileged.peer(in: namespace)
      let tracer = try Tracer(["--max-connections", "50", "--strict"], of: namespace)
      try peer.ask("churn 127.0.0.1 300")
      try tracer.wait(for: ["last_ack→closed": 300, "fin_wait_2→time_wait": 300])
      try tracer.process.read(until: Deadline(seconds: 60), "word of it") { $0.errorText.contains("--max-connections") }
      #expect(try tracer.stop() == .exited(3), "\(tracer.process.errorText)")
      let rows = try tracer.rows().filter { $0["role"] != "listener" }.withoutTimeWaitEnds
      #expect(rows.count == 3000)
      let stays = rows.filter { !["closed", "listen"].contains($0["state_old"]) }
      #expect(stays.allSatisfy { $0["duration_kind"] == "exact" }, "new ones take the place of those in TIME-WAIT")
      #expect(tracer.process.errorLines.count { $0.contains("--max-connections") } == 1)
      #expect(tracer.process.errorText.contains(", 0 lost, 0 unmatched"), "\(tracer.process.errorText)")
    }

    /// More that are open: those beyond the limit are shown, and their stays are bounds, never wrong.
    @Test func openBeyondTheLimit() throws {
      let pair = try Pair()
      for peer in [pair.client, pair.server] { try peer.ask("descriptors 1000") }
      let port = try pair.server.ask("listen l 127.0.0.1 0 600").port
      let tracer = try Tracer(["--max-connections", "100"], of: pair.namespace)
      try pair.client.ask("crowd_connect 127.0.0.1 \(port) 300")
      try pair.server.ask("crowd_accept l 300")
      let folder = try TemporaryFolder()
      try pair.client.ask("crowd_close 1 \(folder.file("truth"))")
      try pair.server.ask("crowd_close 1")
      try tracer.wait(for: ["established→fin_wait_1": 300, "last_ack→closed": 300])
      let rows = try tracer.finish()
      let truth = try String(contentsOfFile: folder.file("truth"), encoding: .utf8).split(separator: "\n").map {
        $0.split(separator: " ")
      }
      let most = Dictionary(uniqueKeysWithValues: truth.map { (String($0[0]), UInt64($0[2]) ?? 0) })
      let ends = rows.filter { $0.transition == "established→fin_wait_1" }
      #expect(ends.count == 300)
      for row in ends {
        let bound = try #require(most["\(row["local_port"])-\(row["peer_port"])"])
        #expect(row.number("state_duration_ns").map { $0 <= bound } ?? true, "\(row.fields)")
      }
      #expect(ends.contains { $0["duration_kind"] == "exact" } && ends.contains { $0["duration_kind"] != "exact" })
      #expect(tracer.process.errorText.contains(", 0 lost, 0 unmatched"), "\(tracer.process.errorText)")
    }

    /// `stuck --watch` follows no more than it may, and says so.
    @Test func stuckBeyondTheLimit() throws {
      let pair = try Pair()
      let port = try pair.server.ask("listen l 127.0.0.1").port
      let watcher = try ChildProcess([
        Tracer.binary, "stuck", "--watch", "--older-than", "300ms", "--max-connections", "3", "--netns",
        pair.namespace.path, "--format", "csv", "--for", "60s",
      ])
      try watcher.read(until: Deadline(seconds: 60), "to start") { $0.errorText.contains("Watching") }
      for number in 1...6 {
        try pair.client.ask("connect c\(number) 127.0.0.1 \(port)")
        try pair.server.ask("accept l s\(number)")
        try pair.client.ask("shutdown c\(number)")
      }
      try watcher.read(until: Deadline(seconds: 60), "three to cross, and word of the others") {
        $0.outputText.split(separator: ",crossed,").count == 4
          && $0.errorText.contains("3 sockets are watched, the most that --max-connections allows")
      }
      // As these end there is room for others.
      for number in 1...6 { try pair.server.ask("close s\(number)") }
      try watcher.read(until: Deadline(seconds: 60), "three to end") {
        $0.outputText.split(separator: ",ended,").count == 4
      }
      watcher.send(SIGINT)
      #expect(try watcher.wait(until: Deadline(seconds: 60)) == .exited(1))
      #expect(watcher.errorText.contains("3 sockets stayed in CLOSE-WAIT for 300 ms or longer; 0 still there."))
      #expect(watcher.errorLines.count { $0.contains("are watched") } == 1)
    }

    @Test func limitsWithoutAMeaning() throws {
      for (arguments, word) in [
        (["top", "--max-connections", "0"], "from 1 to"),
        (["stuck", "--watch", "--max-connections", "0"], "from 1 to"),
        (["stuck", "--max-connections", "5"], "--watch"), (["top", "--read", "x", "--max-connections", "5"], "live"),
      ] {
        let run = try ChildProcess.run([Tracer.binary] + arguments)
        #expect(run.ending == .exited(64) && run.errorLines.count == 1 && run.errorText.contains(word), "\(arguments)")
      }
    }

    /// A name is data for the command, never text for its shell.
    @Test func namesAreNoCommands() throws {
      let folder = try TemporaryFolder()
      for name in ["$(touch pwned)", "`touch pwned`", "\";touch pwned;\"", "a\nTCPSTATE_FD=9"] {
        let pair = try Pair()
        let port = try pair.server.ask("listen l 127.0.0.1").port
        try pair.server.ask("comm \(name.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())")
        _ = try pair.connect(to: port)
        let process = try ChildProcess([
          "sh", "-c", "cd \(folder.path) && exec \"$0\" \"$@\"", Tracer.binary, "stuck", "--watch", "--older-than",
          "100ms", "--netns", pair.namespace.path, "--for", "60s", "--exec",
          "printf %s \"$TCPSTATE_PROCESS_NAME\" > name; exit 7",
        ])
        try process.read(until: Deadline(seconds: 60), "to start") { $0.errorText.contains("Watching") }
        try pair.client.ask("shutdown c")
        try process.read(until: Deadline(seconds: 60), "the command") { $0.errorText.contains("status 7") }
        #expect(
          String(decoding: try TemporaryFolder.bytes(folder.file("name")), as: UTF8.self) == String(name.prefix(15)))
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["name"])
    }

    /// Variables with our names that the tracer was started with don't reach the command.
    @Test func forgedVariables() throws {
      let pair = try Pair()
      try pair.connect()
      let process = try ChildProcess([
        "env", "TCPSTATE_FORGED=1", "TCPSTATE_PROCESS_PID=1", "OTHER=kept", Tracer.binary, "stuck", "--watch",
        "--older-than", "100ms", "--netns", pair.namespace.path, "--for", "60s", "--exec",
        "echo \"<$TCPSTATE_FORGED,$OTHER,$TCPSTATE_PROCESS_PID>\"; env | grep -c '^TCPSTATE_PROCESS_PID='; exit 7",
      ])
      try process.read(until: Deadline(seconds: 60), "to start") { $0.errorText.contains("Watching") }
      try pair.client.ask("shutdown c")
      try process.read(until: Deadline(seconds: 60), "the command") { $0.errorText.contains("status 7") }
      #expect(process.errorText.contains("<,kept,\(pair.server.pid)>\n1\n"), "\(process.errorText)")
    }

    /// A process of the tracer's own user, without its capabilities, gets at nothing of it.
    @Test func closedToOthers() throws {
      let program = try Unprivileged()
      let namespace = try NetworkNamespace()
      let tracer = try Tracer(
        ["--netns", "self"], of: nil,
        wrapper: namespace.command(Unprivileged.with(["bpf", "perfmon"])), binary: program.binary)
      let intruder = try ChildProcess.run(
        Unprivileged.with([]) + [Peer.python, "-c", Self.intruder, "\(tracer.process.pid)"])
      #expect(intruder.ending == .exited(0), "\(intruder.errorText)")
      let refused = intruder.outputText.split(separator: "\n")
      #expect(refused == ["maps EPERM", "programs EPERM", "descriptors EACCES", "memory EACCES", "ptrace EPERM"])
    }

    /// What it tries, and the error that it gets. Numbers: bpf(2), ptrace(2).
    private static let intruder = """
      import ctypes, errno, os, platform, sys
      pid = sys.argv[1]
      libc = ctypes.CDLL(None, use_errno=True)
      bpf = 321 if platform.machine() == "x86_64" else 280
      def call(what, *arguments):
          failed = libc.syscall(*arguments) < 0
          print(what, errno.errorcode[ctypes.get_errno()] if failed else "open")
      def attempt(what, action):
          try:
              action()
              print(what, "open")
          except OSError as failure:
              print(what, errno.errorcode[failure.errno])
      call("maps", bpf, 14, (ctypes.c_uint32 * 4)(1), 16)
      call("programs", bpf, 13, (ctypes.c_uint32 * 4)(1), 16)
      attempt("descriptors", lambda: os.listdir("/proc/%s/fd" % pid))
      attempt("memory", lambda: open("/proc/%s/mem" % pid, "rb"))
      failed = libc.ptrace(16, int(pid), None, None) < 0
      print("ptrace", errno.errorcode[ctypes.get_errno()] if failed else "open")
      """
  }
}
