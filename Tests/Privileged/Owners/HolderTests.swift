// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

extension Privileged {
  /// What the process is doing that holds a socket in CLOSE-WAIT, compared with what made it do that.
  @Suite struct HolderTests {
    /// A process of peers/holding.py in a network namespace of its own.
    private final class Holding {
      private let process: ChildProcess
      let namespace: NetworkNamespace
      let facts: [String: String]

      init(_ name: String) throws {
        namespace = try NetworkNamespace()
        process = try ChildProcess(namespace.command([Peer.python, Privileged.file("peers/holding.py"), name]))
        try process.read(until: Deadline(seconds: 60), "the holder to do it") { $0.outputText.hasSuffix("\n\n") }
        let pairs = process.outputText.split(whereSeparator: \.isWhitespace).map { word in
          word.split(separator: "=", maxSplits: 1).map { String($0) }
        }
        facts = Dictionary(uniqueKeysWithValues: pairs.map { ($0[0], $0[1]) })
      }

      func run(_ options: [String]) throws -> ChildProcess {
        let run = try ChildProcess.run(
          [Tracer.binary, "stuck", "--older-than", "0s", "--netns", namespace.path] + options)
        #expect(run.ending == .exited(1), "\(run.errorText)")
        return run
      }

      func row() throws -> CSVTable.Row {
        let rows = try CSVTable(run(["--format", "csv"]).output).rows
        let row = try #require(rows.first { $0["local_port"] == facts["port"] })
        #expect(rows.count == 1 && row["process_pid"] == facts["pid"])
        return row
      }

      func end() throws {
        process.closeInput()
        try process.wait(until: Deadline(seconds: 60))
      }
    }

    /// Asleep since before the peer closed: it hasn't run since, so nothing can have been closed.
    @Test(arguments: [("futex", ["futex"]), ("loop", ["epoll_wait", "epoll_pwait"])])
    func asleep(_ name: String, _ calls: [String]) throws {
      let holding = try Holding(name)
      let row = try holding.row()
      #expect(row["holder_state"] == "sleeping" && row["holder_threads"] == "1", "\(row.fields)")
      #expect(calls.contains(row["holder_call"]) && row["holder_wait_channel"] != "", "\(row.fields)")
      #expect(row["socket_call"] == "" && row["socket_call_thread_id"] == "" && row["debugger_pid"] == "")
      #expect(row.number("holder_idle_ns") ?? 0 >= 300_000_000, "\(row.fields)")
      #expect(row["holder_cpu_ns"] == "0", "\(row.fields)")
      // Time passes for both.
      let before = try #require(row.number("holder_idle_ns"))
      Clocks.pass(milliseconds: 300)
      let after = try #require(try holding.row().number("holder_idle_ns"))
      #expect(after >= before + 300_000_000 && after < before + 60_000_000_000)
      let text = try holding.run([]).outputText
      #expect(text.contains("has been asleep in \(row["holder_call"])() for ≥ "), "\(text)")
      #expect(text.contains(", since before the peer closed."), "\(text)")
      #expect(text.contains(name == "futex" ? "it is blocked elsewhere" : "it waits for events"), "\(text)")
      try holding.end()
    }

    @Test func busy() throws {
      let holding = try Holding("busy")
      let row = try holding.row()
      #expect(row["holder_state"] == "running" && row["holder_call"] == "" && row["holder_idle_ns"] == "")
      #expect(row["holder_cpu_ns"] == "", "how much of it was since then isn't known")
      #expect(try holding.run([]).outputText.contains(" is busy."))
      try holding.end()
    }

    @Test func stopped() throws {
      let holding = try Holding("stopped")
      let row = try holding.row()
      #expect(row["holder_state"] == "stopped" && row["debugger_pid"] == "")
      let text = try holding.run([]).outputText
      #expect(text.contains("kill -CONT \(holding.facts["pid"] ?? "") lets it go on"), "\(text)")
      #expect(text.contains("held  ") && text.contains("stopped\n"), "in the socket's row, too: \(text)")
      try holding.end()
    }

    @Test func traced() throws {
      let holding = try Holding("traced")
      let row = try holding.row()
      #expect(row["holder_state"] == "traced" && row["debugger_pid"] == holding.facts["own"])
      let text = try holding.run([]).outputText
      #expect(text.contains("is stopped by a debugger, python3/\(holding.facts["own"] ?? "")"), "\(text)")
      try holding.end()
    }

    /// A worker that is blocked in a call on the socket itself.
    @Test func inCallOnSocket() throws {
      let holding = try Holding("sending")
      let row = try holding.row()
      #expect(row["socket_call"] == "sendto" && row["socket_call_thread_id"] == holding.facts["thread"])
      #expect(row["holder_state"] == "sleeping" && row["holder_threads"] == "2", "\(row.fields)")
      let text = try holding.run([]).outputText
      #expect(text.contains("its thread \(holding.facts["thread"] ?? "") is in sendto() on the socket"), "\(text)")
      try holding.end()
    }

    /// The owner of a listener that doesn't accept.
    @Test func unaccepted() throws {
      let pair = try Pair()
      let port = try pair.server.ask("listen l 127.0.0.1").port
      try pair.client.ask("connect c 127.0.0.1 \(port)")
      try pair.client.ask("shutdown c")
      let run = try ChildProcess.run([
        Tracer.binary, "stuck", "--older-than", "0s", "--netns", pair.namespace.path, "--format", "csv",
      ])
      let row = try #require(try CSVTable(run.output).rows.first)
      #expect(row["verdict"] == "unaccepted" && row["holder_state"] == "sleeping" && row["holder_call"] == "read")
      #expect(row["socket_call"] == "")
    }

    /// With `--watch` it is known how much CPU time the process has used since.
    @Test func cpuWhileWatching() throws {
      let namespace = try NetworkNamespace()
      let watcher = try ChildProcess([
        Tracer.binary, "stuck", "--watch", "--older-than", "1s", "--netns", namespace.path, "--for", "100s", "--format",
        "csv",
      ])
      try watcher.read(until: Deadline(seconds: 60), "to start") { $0.errorText.contains("Watching for sockets") }
      let holder = try ChildProcess(
        namespace.command([
          Peer.python, "-c",
          """
          import socket
          l = socket.create_server(("127.0.0.1", 0))
          c = socket.create_connection(l.getsockname())
          s = l.accept()[0]
          s.setblocking(False)
          c.shutdown(socket.SHUT_WR)
          while True:
              pass
          """,
        ]))
      try watcher.read(until: Deadline(seconds: 60), "the socket") { $0.outputText.split(separator: "\n").count >= 2 }
      holder.send(SIGKILL)
      try holder.wait(until: Deadline(seconds: 60))
      watcher.send(SIGINT)
      try watcher.wait(until: Deadline(seconds: 60))
      let rows = try CSVTable(watcher.output).rows
      let row = try #require(rows.first { $0["event"] == "crossed" })
      #expect(row["holder_state"] == "running", "\(row.fields)")
      let (used, age) = (row.number("holder_cpu_ns") ?? 0, try #require(row.number("state_duration_ns")))
      #expect(used > 0 && used <= age + 100_000_000, "\(row.fields)")
      // What it did then is over.
      for row in rows where row["event"] == "ended" { #expect(row["holder_state"] == "") }
    }
  }
}
