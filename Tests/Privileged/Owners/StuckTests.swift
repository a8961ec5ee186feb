// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

extension Privileged {
  /// `stuck` on sockets that real processes have left lying about.
  @Suite struct StuckTests {
    /// Where the sockets are, and from where they are looked at.
    enum Place: CaseIterable, Sendable {
      /// In the host's network namespace.
      case host
      /// In another one, looked at from the host's or from within it.
      case outside, inside
    }

    /// A process of peers/stuck.py and what it says of itself.
    private final class Case {
      private let process: ChildProcess
      let values: [String: String]
      /// `nil` in the host's.
      let namespace: NetworkNamespace?
      private let place: Place

      init(_ name: String, _ place: Place = .outside, _ address: String = "127.0.0.1") throws {
        self.place = place
        namespace = place == .host ? nil : try NetworkNamespace()
        let command = [Peer.python, Privileged.file("peers/stuck.py"), name, address]
        process = try ChildProcess(namespace?.command(command) ?? command)
        try process.read(until: Deadline(seconds: 60), "the socket to get stuck") { $0.output.contains(0x0a) }
        let pairs = process.outputText.split(whereSeparator: \.isWhitespace).map {
          $0.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map { String($0) }
        }
        values = Dictionary(uniqueKeysWithValues: pairs.map { ($0[0], $0[1]) })
      }

      var pid: String { "\(process.pid)" }
      /// As rows have it.
      var netns: String { "\(NetworkNamespace.inode(of: namespace?.path ?? "/proc/self/ns/net"))" }

      var pids: [String] { (values["pids"] ?? "").split(separator: ",").map { String($0) } }

      /// Lets it end, and its children with it.
      func end() throws {
        process.closeInput()
        try process.wait(until: Deadline(seconds: 60))
      }

      /// Runs `stuck` on its namespace, from outside or from within it.
      func stuck(_ options: [String], exit: Int32 = 1) throws -> [CSVTable.Row] {
        // On the host there are others, who are none of the test's business.
        let selection = namespace.map { ["--netns", $0.path] } ?? ["--netns", "self", "-L", values["port"] ?? ""]
        let command = [Tracer.binary, "stuck", "--format", "csv"] + selection + options
        let run = try ChildProcess.run(place == .inside ? namespace?.command(command) ?? command : command)
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

    @Test(arguments: Place.allCases, ["127.0.0.1", "::1"])
    func held(_ place: Place, address: String) throws {
      let process = try Case("held", place, address)
      Clocks.pass(milliseconds: 300)
      let rows = try process.stuck(Self.now)
      let row = try #require(rows.first)
      #expect(rows.count == 1)
      #expect(row["verdict"] == "held" && row["state"] == "close_wait")
      #expect([row["process_pid"]] == process.pids && row["process_name"] == "python3")
      #expect(row["fd"] == process.values["fd"])
      #expect(row["unread_bytes"] == "600" && row["unsent_bytes"] == "0")
      #expect(row["local_port"] == process.values["port"] && row["peer_port"] == process.values["peer"])
      #expect(row["netns"] == process.netns)
      try process.checkAge(row)
      // Not old enough is not stuck.
      #expect(try process.stuck(["--older-than", "10m"], exit: 0).isEmpty)
      try process.end()
    }

    /// The clients have gone; no descriptor refers to the sockets, as `ss` too shows none.
    @Test(arguments: Place.allCases) func unaccepted(_ place: Place) throws {
      let process = try Case("unaccepted", place)
      Clocks.pass(milliseconds: 300)
      let rows = try process.stuck(Self.now)
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

    @Test(arguments: Place.allCases) func sharedByFork(_ place: Place) throws {
      let process = try Case("fork_shared", place)
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
    @Test(arguments: Place.allCases) func passedOn(_ place: Place) throws {
      let process = try Case("passed", place)
      Clocks.pass(milliseconds: 300)
      let row = try #require(try process.stuck(Self.now).first)
      #expect(row["verdict"] == "held" && row["fd"] == "77")
      #expect([row["process_pid"]] == process.pids)
      try process.checkAge(row)
      try process.end()
    }

    @Test(arguments: Place.allCases) func orphan(_ place: Place) throws {
      let process = try Case("orphan", place)
      Clocks.pass(milliseconds: 300)
      let rows = try process.stuck(Self.now + ["--state", "fin-wait-2"])
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
      let age = try #require(row.number("state_duration_ns"))
      let passed = Clocks.realtime() - before
      #expect(age <= passed && age >= 1_500_000_000)
      // The first timeouts are a second apart (tcp_syn_linear_timeouts) or further; the age is from below.
      let timeouts = try #require(row.number("timeouts"))
      #expect(timeouts >= 1 && timeouts <= passed / 1_000_000_000, "\(row.fields)")
      #expect(row.number("next_timeout_ns") != nil)
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
      // close() returns before the last FIN has arrived.
      try pair.server.ask("settle \(port)")
      let run = try ChildProcess.run([
        Tracer.binary, "stuck", "--state", "time-wait", "--netns", pair.namespace.path,
      ])
      // Some are no trouble.
      #expect(run.ending == .exited(0), "\(run.errorText)")
      // The server's own port is one of the thousand.
      #expect(run.outputText.contains("10 of 999"), "\(run.outputText)")
      #expect(run.outputText.contains("1 %") && run.outputText.contains("127.0.0.1:\(port)"))
    }

    /// Traced from the beginning, ages are exact; each socket is reported once, and when it ends.
    @Test func watch() throws {
      let pair = try Pair()
      let port = try pair.connect().port
      let folder = try TemporaryFolder()
      let reported = folder.file("reported")
      let watcher = try ChildProcess([
        Tracer.binary, "stuck", "--watch", "--older-than", "400ms", "--netns", pair.namespace.path, "--format", "csv",
        "--for", "60s", "--exec", "echo \"$TCPSTATE_PROCESS_PID $TCPSTATE_VERDICT\" >> \(reported); exit 7",
      ])
      try watcher.read(until: Deadline(seconds: 60), "to start") { $0.errorText.contains("Watching for sockets") }
      let half = try pair.client.ask("shutdown c")
      try watcher.read(until: Deadline(seconds: 60), "the socket to cross") { $0.outputText.contains(",crossed,") }
      try watcher.read(until: Deadline(seconds: 60), "the command to fail") { $0.errorText.contains("status 7") }
      let closed = try pair.server.ask("close c")
      try watcher.read(until: Deadline(seconds: 60), "the socket to end") { $0.outputText.contains(",ended,") }
      watcher.send(SIGINT)
      #expect(try watcher.wait(until: Deadline(seconds: 60)) == .exited(1))

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
      #expect(String(decoding: try TemporaryFolder.bytes(reported), as: UTF8.self) == "\(pair.server.pid) held\n")
      #expect(watcher.errorText.contains("1 socket stayed in CLOSE-WAIT for 400 ms or longer; 0 still there."))
    }

    /// Traced from the beginning, in the host's namespace and in another: the same facts,
    /// and the age within 100 ms of the truth.
    @Test(arguments: ["held", "unaccepted", "fork_shared", "passed", "orphan"], [Place.host, .outside])
    func traced(_ name: String, _ place: Place) throws {
      let watcher = try ChildProcess([
        Tracer.binary, "stuck", "--watch", "--older-than", "300ms", "--state", "close-wait,fin-wait-2", "--format",
        "csv", "--for", "60s",
      ])
      try watcher.read(until: Deadline(seconds: 60), "to start") { $0.errorText.contains("Watching for sockets") }
      let process = try Case(name, place)
      func rows() -> [CSVTable.Row] {
        let whole = watcher.output.lastIndex(of: 0x0a).map { Array(watcher.output[...$0]) } ?? []
        let all = (try? CSVTable(whole).rows) ?? []
        return all.filter { $0["local_port"] == process.values["port"] && $0["netns"] == process.netns }
      }
      let count = name == "unaccepted" ? 3 : 1
      try watcher.read(until: Deadline(seconds: 60), "the socket to cross") { _ in rows().count >= count }
      watcher.send(SIGINT)
      #expect(try watcher.wait(until: Deadline(seconds: 60)) == .exited(1))
      #expect(rows().count == count)
      let offset = Clocks.realtime() - Clocks.monotonic()
      let before = try #require(process.values["before"].flatMap { UInt64($0) }) + offset
      let after = try #require(process.values["after"].flatMap { UInt64($0) }) + offset
      for row in rows() {
        #expect(row["event"] == "crossed" && row["duration_kind"] == "exact")
        let reported = try #require(row.number("timestamp_unix_nano"))
        let began = reported - (try #require(row.number("state_duration_ns")))
        #expect(began + 100_000_000 >= before && began <= after + 100_000_000, "\(began) \(before) \(after)")
        let (verdict, pid, fd, unread) =
          switch name {
          case "held": ("held", process.pid, process.values["fd"], "600")
          case "unaccepted": ("unaccepted", "", "", "5")
          case "fork_shared":
            ("shared", process.pids.min { Int($0) ?? 0 < Int($1) ?? 0 } ?? "", process.values["fd"], "0")
          case "passed": ("held", process.pids.first ?? "", "77", "0")
          // No descriptor any more, but it was seen whose it is.
          default: ("orphan", process.pid, "", "")
          }
        #expect(row["verdict"] == verdict && row["process_pid"] == pid, "\(row["verdict"]) \(row["process_pid"])")
        #expect(row["fd"] == fd && row["unread_bytes"] == unread, "\(row["fd"]) \(row["unread_bytes"])")
        if name == "unaccepted" { #expect(row["listener_pid"] == process.pid) }
      }
      try process.end()
    }

    /// Several sockets at once: one command a second, each failure reported.
    @Test func commandsArePaced() throws {
      let folder = try TemporaryFolder()
      let reported = folder.file("reported")
      let namespace = try NetworkNamespace()
      let watcher = try ChildProcess([
        Tracer.binary, "stuck", "--watch", "--older-than", "100ms", "--netns", namespace.path, "--for", "60s", "--exec",
        "date +%s%N >> \(reported); kill -9 $$",
      ])
      try watcher.read(until: Deadline(seconds: 60), "to start") { $0.errorText.contains("Watching for sockets") }
      let (client, server) = (try Privileged.peer(in: namespace), try Privileged.peer(in: namespace))
      let port = try server.ask("listen l 127.0.0.1").port
      for name in ["a", "b", "c"] { try client.ask("connect \(name) 127.0.0.1 \(port)") }
      for name in ["a", "b", "c"] { try client.ask("shutdown \(name)") }
      func failures() -> Int {
        watcher.errorText.split(separator: "\n").count { $0.contains("was killed by signal 9") }
      }
      try watcher.read(until: Deadline(seconds: 60), "three failures") { _ in failures() == 3 }
      watcher.send(SIGINT)
      try watcher.wait(until: Deadline(seconds: 60))
      #expect(watcher.errorText.contains("--exec has failed 3 times"))
      let times = String(decoding: try TemporaryFolder.bytes(reported), as: UTF8.self).split(separator: "\n")
        .compactMap { UInt64($0) }
      #expect(times.count == 3)
      // The shell takes a while to start, some more and some less.
      for (earlier, later) in zip(times, times.dropFirst()) { #expect(later - earlier >= 900_000_000) }
    }

    /// The process that made TIME-WAIT sockets, where it was traced: in --watch and in a recording.
    @Test func makersOfTimeWait() throws {
      let pair = try Pair()
      let folder = try TemporaryFolder()
      let file = folder.file("t.csv")
      let tracer = try Tracer(["--output", file], of: pair.namespace)
      let watcher = try ChildProcess([
        Tracer.binary, "stuck", "--watch", "--state", "time-wait", "--netns", pair.namespace.path, "--for", "60s",
      ])
      try watcher.read(until: Deadline(seconds: 60), "to start") { $0.errorText.contains("Watching for sockets") }
      let port = try pair.server.ask("listen l 127.0.0.1").port
      for _ in 0..<3 {
        _ = try pair.connect(to: port)
        try pair.close(first: pair.client, then: pair.server)
      }
      let owner = "python3/\(pair.client.pid)"
      try watcher.read(until: Deadline(seconds: 60), "three to be reported") {
        $0.outputText.split(separator: "\n").count { $0.contains("TIME-WAIT     \(owner)") } == 3
      }
      watcher.send(SIGINT)
      try watcher.wait(until: Deadline(seconds: 60))
      let group = "127.0.0.1:*  127.0.0.1:\(port)  \(owner)"
      #expect(watcher.outputText.contains(group), "\(watcher.outputText)")
      try tracer.stop()
      let run = try ChildProcess.run([Tracer.binary, "stuck", "--read", file, "--state", "time-wait"])
      #expect(run.ending == .exited(0) && run.outputText.contains(group), "\(run.outputText) \(run.errorText)")
      #expect(run.outputText.contains("at this rate") || run.outputText.contains("falling"), "\(run.outputText)")
    }

    /// A recording, without privileges, as of its end and as of a moment.
    @Test func recording() throws {
      let pair = try Pair()
      let folder = try TemporaryFolder()
      let file = folder.file("t.csv")
      let tracer = try Tracer(["--output", file], of: pair.namespace)
      let port = try pair.connect().port
      let half = try pair.client.ask("shutdown c")
      Clocks.pass(milliseconds: 600)
      let closed = try pair.server.ask("close c")
      try tracer.stop()
      let end = try #require(CSVTable(TemporaryFolder.bytes(file)).rows.last?.number("timestamp_unix_nano"))
      _ = try ChildProcess.run(["chmod", "-R", "a+rX", folder.path])
      func look(_ options: String...) throws -> ChildProcess {
        try ChildProcess.run(
          ["setpriv", "--reuid", "65534", "--clear-groups", "--inh-caps=-all", Tracer.binary, "stuck", "--read", file]
            + ["-L", "\(port)", "--format", "csv", "--older-than", "100ms"] + options)
      }
      #expect(try look().ending == .exited(0))
      // 100 ms before the close.
      let offset = Clocks.realtime() - Clocks.monotonic()
      let moment = closed.before + offset - 100_000_000
      let seconds = moment / 1_000_000_000
      let nanoseconds = String(moment % 1_000_000_000 + 1_000_000_000).dropFirst()
      let clock = try ChildProcess.run(["date", "-u", "-d", "@\(seconds)", "+%Y-%m-%dT%H:%M:%S.\(nanoseconds)Z"])
      let run = try look("--at", String(clock.outputText.dropLast()))
      #expect(run.ending == .exited(1), "\(run.errorText)")
      let rows = try CSVTable(run.output).rows
      let row = try #require(rows.first)
      #expect(rows.count == 1 && moment < end)
      #expect(row.number("timestamp_unix_nano") == moment)
      #expect(row["verdict"] == "unknown" && row["fd"] == "" && row["unread_bytes"] == "")
      #expect(row["process_pid"] == "\(pair.server.pid)" && row["holders"] == "python3/\(pair.server.pid)")
      let age = try #require(row.number("state_duration_ns"))
      #expect(row["duration_kind"] == "exact")
      #expect(age <= moment - offset - half.before && age + 100_000_000 >= moment - offset - half.after)
      #expect(try look("--at", "+24h").ending == .exited(64))
      #expect(try look("--watch").errorText.contains("--watch traces the live kernel"))
    }

    @Test func refusals() throws {
      for (options, message) in [
        (["--state", "closed"], "have no sockets in CLOSED"), (["--older-than", "soon"], "is not a duration"),
        (["--null", "NA"], "--null goes with --format csv"), (["--exec", "true"], "--exec goes with --watch"),
        (["--older-than", "1s", "--longer-than", "1s"], "give one"), (["--at", "+1s"], "--at goes with --read"),
        (["--read", "-", "--at", "noon"], "'noon' is not a time"),
        (["--format", "csv", "--columns", "verdit"], "did you mean 'verdict'?"),
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
