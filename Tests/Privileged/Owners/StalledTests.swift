// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

extension Privileged {
  /// What `stuck` says of sockets whose age or trouble the kernel doesn't keep, compared with what made them.
  @Suite struct StalledTests {
    /// A process of peers/stalled.py in a network namespace of its own, and what it says of its sockets.
    private final class Stalled {
      private let process: ChildProcess
      let namespace: NetworkNamespace
      let sockets: [[String: String]]

      init(_ name: String, _ argument: String = "", in place: NetworkNamespace? = nil) throws {
        namespace = try place ?? NetworkNamespace()
        process = try ChildProcess(
          namespace.command([Peer.python, Privileged.file("peers/stalled.py"), name, argument]))
        try process.read(until: Deadline(seconds: 60), "the sockets to stall") { $0.outputText.hasSuffix("\n\n") }
        sockets = process.outputText.split(separator: "\n").map { line in
          let pairs = line.split(separator: " ").map { $0.split(separator: "=", maxSplits: 1).map { String($0) } }
          return Dictionary(uniqueKeysWithValues: pairs.map { ($0[0], $0[1]) })
        }
      }

      var pid: String { "\(process.pid)" }

      func run(_ options: [String]) throws -> ChildProcess {
        try ChildProcess.run([Tracer.binary, "stuck", "--netns", namespace.path] + options)
      }

      func rows(_ state: String, _ age: String = "0s", exit: Int32 = 1, _ more: [String] = []) throws -> [CSVTable.Row]
      {
        let run = try run(["--format", "csv", "--state", state, "--older-than", age] + more)
        #expect(run.ending == .exited(exit), "\(run.errorText)")
        return try CSVTable(run.output).rows
      }

      func end() throws {
        process.closeInput()
        try process.wait(until: Deadline(seconds: 60))
      }
    }

    /// Whatever happened before the FIN and after it, the truth is between the bounds.
    @Test(arguments: 1...4) func boundsHold(seed: Int) throws {
      let stalled = try Stalled("ages", "\(seed)")
      var certain = 0
      for state in ["close_wait", "fin_wait_2"] {
        let rows = try stalled.rows(state)
        let after = Clocks.monotonic()
        let offset = Clocks.realtime() - after
        let truths = stalled.sockets.filter { $0["state"] == state }
        #expect(rows.count == truths.count)
        for truth in truths {
          let row = try #require(rows.first { $0["local_port"] == truth["port"] }, "\(truth)")
          let read = try #require(row.number("timestamp_unix_nano")) - offset
          let began = try #require(truth["before"].flatMap { UInt64($0) })
          // The FIN is acknowledged up to 200 ms later.
          let delay: UInt64 = state == "close_wait" ? 10_000_000 : 300_000_000
          let ended = try #require(truth["after"].flatMap { UInt64($0) }) + delay
          let least = row.number("state_duration_ns") ?? 0
          let most = try #require(row.number("state_duration_at_most_ns"))
          #expect(least <= after - began, "at least: \(truth) \(row.fields)")
          #expect(most + ended >= read, "at most: \(truth) \(row.fields)")
          if most - least < 500_000_000 { certain += 1 }
        }
        // Nothing is left out, however old it must be.
        #expect(try stalled.rows(state, "2s").count == truths.count)
        #expect(try stalled.rows(state, "1h", exit: 0).isEmpty)
      }
      #expect(certain >= 14, "of FIN-WAIT-2 all, and of CLOSE-WAIT some")
      try stalled.end()
    }

    /// Listed in every format, with an explanation and exit status 1; also after others that are certain.
    @Test func uncertainAge() throws {
      let namespace = try NetworkNamespace()
      let kept = try Stalled("kept_alive", in: namespace)
      let rows = try kept.rows("close-wait", "2s")
      #expect(rows.map { $0["event"] } == ["uncertain"] && rows.map { $0["cause"] } == ["not_closed"])
      #expect(rows[0].number("state_duration_ns") ?? 0 < 2_000_000_000)
      #expect(rows[0].number("state_duration_at_most_ns") ?? 0 >= 2_000_000_000)
      #expect(rows[0]["process_pid"] == kept.pid)
      let table = try kept.run(["--older-than", "2s"])
      #expect(table.ending == .exited(1) && table.errorText.contains("1 socket may have been in CLOSE-WAIT for 2.00 s"))
      #expect(table.errorText.contains("keepalive") && !table.errorText.contains("No socket"))
      #expect(table.outputText.contains("never closed fd"))
      let lines = try kept.run(["--older-than", "2s", "--format", "jsonl"])
      #expect(lines.ending == .exited(1) && lines.outputText.contains(#""tcp.event":"uncertain""#))
      // Another is certain: the uncertain one is still there.
      let other = try Stalled("unread", "all", in: namespace)
      Clocks.pass(milliseconds: 2100)
      let both = try kept.rows("close-wait", "2s")
      #expect(both.map { $0["event"] } == ["found", "uncertain"])
      #expect(both.map { $0["local_port"] } == [other.sockets[0]["port"], kept.sockets[0]["port"]])
      try other.end()
      try kept.end()
    }

    /// A limit to the RTO doesn't make a SYN-SENT younger with each timeout.
    @Test func limitedTimeout() throws {
      let namespace = try NetworkNamespace()
      for arguments in [
        "link add void type veth peer name nowhere", "link set void up", "link set nowhere up",
        "address add 203.0.113.1/24 dev void", "neighbour add 203.0.113.9 lladdr 02:00:00:00:00:09 dev void",
      ] {
        let run = try ChildProcess.run(
          ["ip", "-n", namespace.name] + arguments.split(separator: " ").map { String($0) })
        #expect(run.ending == .exited(0), "\(run.errorText)")
      }
      // Linux 6.15; before that the limit is two minutes, and timeouts double until then.
      _ = try ChildProcess.run(
        namespace.command([
          "sysctl", "-w", "net.ipv4.tcp_rto_max_ms=1000", "net.ipv4.tcp_syn_linear_timeouts=0",
          "net.ipv4.tcp_syn_retries=30",
        ]))
      let peer = try Privileged.peer(in: namespace)
      let before = Clocks.monotonic()
      try peer.start("connect c 203.0.113.9 80")
      func look() throws -> CSVTable.Row? {
        let run = try ChildProcess.run([
          Tracer.binary, "stuck", "--state", "syn-sent", "--older-than", "0s", "--netns", namespace.path, "--format",
          "csv",
        ])
        return try CSVTable(run.output).rows.first
      }
      let deadline = Deadline(seconds: 60)
      var first = try look()
      while first == nil, !deadline.hasPassed { first = try look() }
      var last = try #require(first)
      for _ in 0..<4 {
        Clocks.pass(milliseconds: 1100)
        let row = try #require(try look())
        let age = try #require(row.number("state_duration_ns"))
        let passed = try #require(row.number("timestamp_unix_nano")) - (last.number("timestamp_unix_nano") ?? 0)
        // Both grow alike; a reading takes its time.
        let lastAge = last.number("state_duration_ns") ?? 0
        #expect(age <= Clocks.monotonic() - before && age + 500_000_000 >= lastAge + passed)
        last = row
      }
    }

    /// Both ends of a window that is shut: who doesn't read, and who can't send.
    @Test func shutWindow() throws {
      let stalled = try Stalled("window")
      let reader = try #require(try stalled.rows("established", "0s").first)
      #expect(reader["cause"] == "not_reading" && reader["process_pid"] == stalled.pid)
      #expect(reader.number("unread_bytes") ?? 0 > 10_000)
      let rows = try stalled.rows("fin-wait-1", "1s")
      let sender = try #require(rows.first)
      #expect(rows.count == 1 && sender["cause"] == "window_shut" && sender["verdict"] == "orphan")
      #expect(sender["event"] == "uncertain" && sender.number("unsent_bytes") ?? 0 > 100_000)
      #expect(sender.number("window_shut_ns") ?? 0 > 500_000_000)
      let text = try stalled.run(["--state", "established,fin-wait-1", "--older-than", "0s"]).outputText
      #expect(text.contains("so the FIN isn't sent yet: the program there doesn't read"), "\(text)")
      #expect(text.contains("hasn't read the") && !text.contains("nothing has arrived"), "\(text)")
      try stalled.end()
    }

    /// How far the process has read decides what to look for.
    @Test(arguments: ["nothing", "payload", "all"]) func unread(_ read: String) throws {
      let stalled = try Stalled("unread", read)
      let row = try #require(try stalled.rows("close-wait").first)
      #expect(row["cause"] == (read == "all" ? "not_closed" : "not_reading"))
      #expect(row["unread_bytes"] == (read == "nothing" ? "100" : "0"))
      try stalled.end()
    }

    @Test func halfClosed() throws {
      let stalled = try Stalled("sending")
      let row = try #require(try stalled.rows("close-wait").first)
      #expect(row["cause"] == "window_shut" && row["verdict"] == "held", "\(row.fields)")
      try stalled.end()
    }

    @Test func deferredAccept() throws {
      let stalled = try Stalled("deferred")
      let row = try #require(try stalled.rows("syn-received", "1s").first)
      #expect(row["verdict"] == "half_open" && row["cause"] == "awaits_data")
      #expect(row["timeouts"] == "0", "no SYN-ACK was sent again")
      #expect(row["listener_pid"] == stalled.pid)
      try stalled.end()
    }

    /// close() has been called, and the socket is still open; no descriptor shows whose it is.
    @Test(arguments: [("in_call", "established"), ("lingering", "fin-wait-1")])
    func closedInAnotherThread(_ name: String, _ state: String) throws {
      let stalled = try Stalled(name)
      let rows = try stalled.rows(state).filter { $0["local_port"] == stalled.sockets[0]["port"] }
      #expect(rows.map { $0["verdict"] } == ["closing"] && rows.map { $0["cause"] } == ["in_system_call"])
      #expect(rows.map { $0["process_pid"] } == [""])
      try stalled.end()
    }

    /// Those that were there at the start don't use up the turns of one that gets stuck now.
    @Test func newSocketsGetTheirTurn() throws {
      let namespace = try NetworkNamespace()
      let folder = try TemporaryFolder()
      let reported = folder.file("reported")
      let crowd = try Stalled("crowd", "15", in: namespace)
      let watcher = try ChildProcess([
        Tracer.binary, "stuck", "--watch", "--older-than", "100ms", "--netns", namespace.path, "--for", "100s",
        "--exec",
        "echo $TCPSTATE_LOCAL_PORT >> \(reported); echo ran >&2",
      ])
      func runs() -> Int { watcher.errorText.split(separator: "\n").count { $0 == "ran" } }
      try watcher.read(until: Deadline(seconds: 60), "the first of many") { _ in runs() >= 1 }
      let new = try Stalled("unread", "all", in: namespace)
      try watcher.read(until: Deadline(seconds: 60), "some turns") { _ in runs() >= 4 }
      watcher.send(SIGINT)
      try watcher.wait(until: Deadline(seconds: 60))
      let order = String(decoding: try TemporaryFolder.bytes(reported), as: UTF8.self).split(separator: "\n")
      #expect(order.prefix(4).contains { $0 == new.sockets[0]["port"] ?? "" }, "\(order)")
      #expect(watcher.errorText.contains("--exec was not run for"), "\(watcher.errorText)")
      try new.end()
      try crowd.end()
    }

    /// What connect() says about ports, and what the forecast says.
    @Test(arguments: ["all", "reserved", "bound", "some", "reuse"]) func ports(_ what: String) throws {
      let stalled = try Stalled("ports", what)
      let isExhausted = stalled.sockets[0]["errno"] == "\(EADDRNOTAVAIL)"
      #expect(isExhausted == (what != "some" && what != "reuse"))
      let run = try stalled.run(["--state", "time-wait"])
      #expect(run.ending == .exited(isExhausted ? 1 : 0), "\(run.outputText) \(run.errorText)")
      #expect(run.outputText.contains("no port is left") == isExhausted, "\(run.outputText)")
      if what == "reserved" || what == "bound" { #expect(run.outputText.contains("2 of 2"), "\(run.outputText)") }
      try stalled.end()
    }
  }
}
