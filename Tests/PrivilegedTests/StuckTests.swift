import Glibc
import TestSupport
import Testing

extension Privileged {
  /// `stuck` on sockets that real processes have left lying about.
  @Suite struct StuckTests {
    /// A process of peers/stuck.py and what it says of itself.
    private final class Case {
      private let process: ChildProcess
      let values: [String: String]
      let namespace: NetworkNamespace

      init(_ name: String, _ address: String = "127.0.0.1") throws {
        namespace = try NetworkNamespace()
        process = try ChildProcess(
          namespace.command([Peer.python, Privileged.file("peers/stuck.py"), name, address]))
        try process.read(until: Deadline(seconds: 15), "the socket to get stuck") { $0.output.contains(0x0a) }
        let pairs = process.outputText.split(whereSeparator: \.isWhitespace).map {
          $0.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map { String($0) }
        }
        values = Dictionary(uniqueKeysWithValues: pairs.map { ($0[0], $0[1]) })
      }

      var pids: [String] { (values["pids"] ?? "").split(separator: ",").map { String($0) } }

      /// Lets it end, and its children with it.
      func end() throws {
        process.closeInput()
        try process.wait(until: Deadline(seconds: 10))
      }

      /// Runs `stuck` on its namespace, from outside or from within it.
      func stuck(_ options: [String], inside: Bool = false, exit: Int32 = 1) throws -> [CSVTable.Row] {
        let command = [Tracer.binary, "stuck", "--format", "csv", "--netns", namespace.path] + options
        let run = try ChildProcess.run(inside ? namespace.command(command) : command)
        #expect(run.ending == .exited(exit), "\(run.errorText)")
        return try CSVTable(run.output).rows
      }

      /// Whether an age is a lower bound, and no more than `slack` below the truth.
      func checkAge(_ row: CSVTable.Row, slack: UInt64 = 100_000_000) throws {
        let read = try #require(row.number("timestamp_unix_nano"))
        let offset = Clocks.realtime() - Clocks.monotonic()
        let before = try #require(values["before"].flatMap { UInt64($0) })
        let after = try #require(values["after"].flatMap { UInt64($0) })
        let age = try #require(row.number("state_duration_ns"))
        #expect(row["duration_kind"] == "at_least")
        #expect(age <= Clocks.monotonic() - before, "a lower bound")
        #expect(age + slack >= read - offset - after, "near the truth")
      }
    }

    private static let now = ["--older-than", "200ms"]

    @Test(arguments: [false, true], ["127.0.0.1", "::1"])
    func held(inside: Bool, address: String) throws {
      let process = try Case("held", address)
      Clocks.pass(milliseconds: 300)
      let rows = try process.stuck(Self.now, inside: inside)
      let row = try #require(rows.first)
      #expect(rows.count == 1)
      #expect(row["verdict"] == "held" && row["state"] == "close_wait")
      #expect([row["process_pid"]] == process.pids && row["process_name"] == "python3")
      #expect(row["fd"] == process.values["fd"])
      #expect(row["unread_bytes"] == "600" && row["unsent_bytes"] == "0")
      #expect(row["local_port"] == process.values["port"] && row["peer_port"] == process.values["peer"])
      #expect(row["netns"] == "\(process.namespace.inode)")
      try process.checkAge(row)
      // Not old enough is not stuck.
      #expect(try process.stuck(["--older-than", "10m"], inside: inside, exit: 0).isEmpty)
      try process.end()
    }

    /// The clients have gone; no descriptor refers to the sockets, as `ss` too shows none.
    @Test(arguments: [false, true]) func unaccepted(inside: Bool) throws {
      let process = try Case("unaccepted")
      Clocks.pass(milliseconds: 300)
      let rows = try process.stuck(Self.now, inside: inside)
      #expect(rows.count == 3)
      for row in rows {
        #expect(row["verdict"] == "unaccepted")
        #expect(row["process_pid"] == "" && row["fd"] == "")
        #expect([row["listener_pid"]] == process.pids && row["listener_name"] == "python3")
        #expect(row["listener_address"] == "127.0.0.1:\(process.values["port"] ?? "")")
        #expect(row["accept_queue"] == "3" && row["accept_queue_limit"] == "16")
        #expect(row["unread_bytes"] == "5")
        try process.checkAge(row)
      }
      // Who listens is responsible, so a filter by process finds them.
      #expect(try process.stuck(Self.now + ["--pid", process.pids[0]]).count == 3)
      #expect(try process.stuck(Self.now + ["--pid", "1"], exit: 0).isEmpty)
      try process.end()
    }

    @Test func sharedByFork() throws {
      let process = try Case("fork_shared")
      Clocks.pass(milliseconds: 300)
      let row = try #require(try process.stuck(Self.now).first)
      #expect(row["verdict"] == "shared")
      let fd = process.values["fd"] ?? ""
      let holders = process.pids.sorted { (Int($0) ?? 0) < (Int($1) ?? 0) }
      #expect(row["holders"] == holders.map { "python3/\($0):\(fd)" }.joined(separator: " "))
      try process.checkAge(row)
      try process.end()
    }

    /// After SCM_RIGHTS the one who has it now is named, not the one who accepted it.
    @Test func passedOn() throws {
      let process = try Case("passed")
      Clocks.pass(milliseconds: 300)
      let row = try #require(try process.stuck(Self.now).first)
      #expect(row["verdict"] == "held" && row["fd"] == "77")
      #expect([row["process_pid"]] == process.pids)
      try process.checkAge(row)
      try process.end()
    }

    @Test(arguments: [false, true]) func orphan(inside: Bool) throws {
      let process = try Case("orphan")
      Clocks.pass(milliseconds: 300)
      let rows = try process.stuck(Self.now + ["--state", "fin-wait-2"], inside: inside)
      let row = try #require(rows.first)
      #expect(rows.count == 1)
      #expect(row["verdict"] == "orphan" && row["state"] == "fin_wait_2")
      #expect(row["process_pid"] == "" && row["holders"] == "")
      #expect(row["local_port"] == process.values["port"] && row["peer_port"] == process.values["peer"])
      try process.checkAge(row)
      try process.end()
    }

    /// A SYN that nobody answers: its age by its timeouts.
    @Test func unanswered() throws {
      let namespace = try NetworkNamespace()
      let peer = try Privileged.peer(in: namespace)
      // A wire with nobody at its end.
      for arguments in [
        "link add void type veth peer name nowhere", "link set void up", "link set nowhere up",
        "address add 203.0.113.1/24 dev void", "neighbour add 203.0.113.9 lladdr 02:00:00:00:00:09 dev void",
      ] {
        let words = arguments.split(separator: " ").map { String($0) }
        let run = try ChildProcess.run(["ip", "-n", namespace.name] + words)
        #expect(run.ending == .exited(0), "\(run.errorText)")
      }
      let before = Clocks.realtime()
      try peer.start("connect c 203.0.113.9 80")
      Clocks.pass(milliseconds: 1600)
      let run = try ChildProcess.run([
        Tracer.binary, "stuck", "--state", "syn-sent", "--older-than", "1s", "--netns", namespace.path, "--format",
        "csv",
      ])
      let row = try #require(try CSVTable(run.output).rows.first, "\(run.errorText)")
      #expect(row["state"] == "syn_sent" && row["verdict"] == "held")
      #expect(row["process_pid"] == "\(peer.pid)")
      #expect(row["timeouts"] == "1" && row.number("next_timeout_ns") != nil)
      let age = try #require(row.number("state_duration_ns"))
      #expect(age <= Clocks.realtime() - before && age >= 1_500_000_000)
    }

    /// TIME-WAIT by destination, against the ephemeral ports of its own namespace.
    @Test func timeWait() throws {
      let pair = try Pair()
      _ = try ChildProcess.run(
        pair.namespace.command(["sysctl", "-w", "net.ipv4.ip_local_port_range=40000 40999"]))
      let port = try pair.server.ask("listen l 127.0.0.1").port
      for _ in 0..<10 {
        _ = try pair.connect(to: port)
        try pair.close(first: pair.client, then: pair.server)
      }
      let run = try ChildProcess.run([
        Tracer.binary, "stuck", "--state", "time-wait", "--netns", pair.namespace.path,
      ])
      #expect(run.ending == .exited(1), "\(run.errorText)")
      #expect(run.outputText.contains("10 of 1,000"), "\(run.outputText)")
      #expect(run.outputText.contains("1 %") && run.outputText.contains("127.0.0.1:\(port)"))
    }

    /// Traced from the beginning, ages are exact; each socket is told of once, and when it ends.
    @Test func watch() throws {
      let pair = try Pair()
      let port = try pair.connect().port
      let folder = try TemporaryFolder()
      let told = folder.file("told")
      let watcher = try ChildProcess([
        Tracer.binary, "stuck", "--watch", "--older-than", "400ms", "--netns", pair.namespace.path, "--format", "csv",
        "--for", "60s", "--exec", "echo \"$TCPSTATE_PROCESS_PID $TCPSTATE_VERDICT\" >> \(told); exit 7",
      ])
      try watcher.read(until: Deadline(seconds: 15), "to start") { $0.errorText.contains("Watching for sockets") }
      let half = try pair.client.ask("shutdown c")
      try watcher.read(until: Deadline(seconds: 10), "the socket to cross") { $0.outputText.contains(",crossed,") }
      try watcher.read(until: Deadline(seconds: 10), "the command to fail") { $0.errorText.contains("status 7") }
      let closed = try pair.server.ask("close c")
      try watcher.read(until: Deadline(seconds: 10), "the socket to end") { $0.outputText.contains(",ended,") }
      watcher.send(SIGINT)
      #expect(try watcher.wait(until: Deadline(seconds: 10)) == .exited(1))

      let rows = try CSVTable(watcher.output).rows
      #expect(rows.map { $0["event"] } == ["crossed", "ended"])
      for row in rows {
        #expect(row["process_pid"] == "\(pair.server.pid)" && row["local_port"] == "\(port)")
        #expect(row["verdict"] == "held" && row["duration_kind"] == "exact")
      }
      let age = try #require(rows[0].number("state_duration_ns"))
      #expect(age >= 400_000_000)
      let stay = try #require(rows[1].number("state_duration_ns"))
      #expect(stay <= closed.after - half.before && stay + 1_000_000 >= closed.before - half.after)
      #expect(String(decoding: try TemporaryFolder.bytes(told), as: UTF8.self) == "\(pair.server.pid) held\n")
      #expect(watcher.errorText.contains("1 socket stayed in CLOSE-WAIT for 400 ms or longer; 0 still there."))
    }

    @Test func refusals() throws {
      for (options, message) in [
        (["--state", "closed"], "have no sockets in CLOSED"), (["--older-than", "soon"], "is not a duration"),
        (["--null", "NA"], "--null goes with --format csv"), (["--exec", "true"], "--exec goes with --watch"),
        (["--older-than", "1s", "--longer-than", "1s"], "give one"),
      ] {
        let run = try ChildProcess.run([Tracer.binary, "stuck"] + options)
        #expect(run.ending == .exited(64) && run.errorText.contains(message), "\(run.errorText)")
        #expect(run.errorLines.count == 1)
      }
      let run = try ChildProcess.run([
        "setpriv", "--reuid", "65534", "--clear-groups", "--inh-caps=-all", Tracer.binary, "stuck",
      ])
      #expect(run.ending == .exited(77), "\(run.errorText)")
    }
  }
}
