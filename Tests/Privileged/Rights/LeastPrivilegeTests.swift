// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import TestSupport
import Testing

/// The program where anybody may run it, and users that have some capabilities and nothing else.
final class Unprivileged {
  private let folder: TemporaryFolder
  let binary: String
  static let user: UInt32 = 65_534

  init() throws {
    folder = try TemporaryFolder()
    binary = folder.file("tcpstate-trace")
    try FileManager.default.copyItem(atPath: Tracer.binary, toPath: binary)
    chmod(folder.path, 0o755)
  }

  /// - Parameter capabilities: as setpriv(1) names them: `bpf`.
  static func with(_ capabilities: [String]) -> [String] {
    let set = (["-all"] + capabilities.map { "+\($0)" }).joined(separator: ",")
    return [
      "setpriv", "--reuid=\(user)", "--regid=\(user)", "--clear-groups", "--inh-caps=\(set)", "--ambient-caps=\(set)",
      "--bounding-set=\(set)", "--",
    ]
  }
}

/// The capability sets of a process: `CapEff` … of /proc/PID/status.
struct CapabilitySets: Equatable {
  var sets: [String: UInt64] = [:]

  init(_ status: String) {
    for line in status.split(separator: "\n") where line.hasPrefix("Cap") {
      let words = line.split(whereSeparator: { ":\t ".contains($0) })
      if words.count == 2 { sets[String(words[0])] = UInt64(words[1], radix: 16) }
    }
  }

  init(of pid: pid_t) throws {
    self.init(try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8))
  }

  /// The bounding set is what root's programs get again.
  var held: [String: UInt64] { sets.filter { $0.key != "CapBnd" } }
  static let none: [String: UInt64] = ["CapInh": 0, "CapPrm": 0, "CapEff": 0, "CapAmb": 0]
}

extension Privileged {
  /// What works with which capabilities, and that they are given up again.
  @Suite struct LeastPrivilegeTests {
    private static let tracing = ["bpf", "perfmon"]
    /// CAP_SYS_PTRACE and CAP_SYS_ADMIN.
    private static let namespaces: UInt64 = 1 << 19 | 1 << 21

    @Test(arguments: [
      ([], "CAP_BPF and CAP_PERFMON"), (["bpf"], "without CAP_PERFMON:"), (["perfmon"], "without CAP_BPF:"),
      (["net_admin", "sys_ptrace", "dac_override"], "CAP_BPF and CAP_PERFMON"),
    ])
    func refusedByName(_ capabilities: [String], _ named: String) throws {
      let program = try Unprivileged()
      for command in [["--for", "2s"], ["stuck"]] {
        let process = try ChildProcess.run(Unprivileged.with(capabilities) + [program.binary] + command)
        #expect(process.ending == .exited(77), "\(process.errorText)")
        #expect(process.errorLines.count == 1 && process.errorText.contains(named), "\(process.errorText)")
      }
    }

    /// All transitions and owners of every namespace need no more than two.
    @Test(arguments: [
      (["bpf", "perfmon"], "without CAP_SYS_ADMIN "), (["bpf", "perfmon", "sys_ptrace"], "without CAP_SYS_ADMIN "),
      (["bpf", "perfmon", "sys_admin"], "without CAP_SYS_PTRACE "), (["sys_admin"], "without CAP_SYS_PTRACE "),
      (["bpf", "perfmon", "sys_ptrace", "sys_admin"], ""),
    ])
    func traces(_ capabilities: [String], _ missing: String) throws {
      let program = try Unprivileged()
      let pair = try Pair()
      let port = try pair.connect().port
      let tracer = try Tracer(
        of: pair.namespace, wrapper: Unprivileged.with(capabilities), binary: program.binary)
      // Not close(): if the ACK comes late the orphan goes on silently, in a table that not all of these may read.
      try pair.client.ask("shutdown c")
      try pair.server.ask("eof c")
      try pair.server.ask("close c")
      try pair.client.ask("eof c")
      _ = try pair.connect(to: port)
      try tracer.wait(for: ["last_ack→closed": 1, "fin_wait_2→time_wait": 1, "syn_received→established": 1])
      let rows = try tracer.finish().withoutTimeWaitEnds
      #expect(rows.transitions.count == 6 + 4, "\(rows.transitions)")
      for row in rows {
        let pid = row["role"] == "client" ? pair.client.pid : pair.server.pid
        #expect(row["process_pid"] == "\(pid)", "\(row.transition)")
      }
      let said = tracer.process.errorLines.filter { $0.hasPrefix("tcpstate-trace: ") }
      #expect(said.count == (missing.isEmpty ? 0 : 1) && said.allSatisfy { $0.contains(missing) }, "\(said)")
      #expect(tracer.process.errorText.contains(", 0 lost, 0 unmatched"), "\(tracer.process.errorText)")
    }

    /// TIME-WAIT is in a namespace's table alone: whoever may not find or enter it doesn't see it.
    @Test(arguments: [
      (["bpf", "perfmon"], false, false), (["bpf", "perfmon", "sys_ptrace"], false, false),
      (["bpf", "perfmon", "sys_admin"], true, false), (["bpf", "perfmon", "sys_ptrace", "sys_admin"], true, true),
    ])
    func otherNamespaces(_ capabilities: [String], seesNamed: Bool, seesUnnamed: Bool) throws {
      let program = try Unprivileged()
      let namespace = try NetworkNamespace()
      let named = try Privileged.peer(in: namespace)
      let unnamed = try Privileged.peer(
        in: namespace, wrapper: ["unshare", "--net", "sh", "-c", "ip link set lo up && exec \"$0\" \"$@\""])
      for (peer, sees) in [(named, seesNamed), (unnamed, seesUnnamed)] {
        try peer.ask("churn 127.0.0.1 1")
        var status = stat()
        try #require(stat("/proc/\(peer.pid)/ns/net", &status) == 0)
        let process = try ChildProcess.run(
          Unprivileged.with(capabilities) + [
            program.binary, "stuck", "--state", "time-wait", "--older-than", "0s", "--netns", "\(status.st_ino)",
          ])
        #expect(process.ending == .exited(0), "\(process.outputText)\(process.errorText)")
        #expect(process.outputText.contains("TIME-WAIT") == sees, "\(process.outputText)\(process.errorText)")
        #expect(process.errorText.contains("without CAP_") == (capabilities.count < 4), "\(process.errorText)")
      }
    }

    /// The process's own namespace takes nothing else, and says nothing.
    @Test func ownNamespace() throws {
      let program = try Unprivileged()
      let namespace = try NetworkNamespace()
      try Privileged.peer(in: namespace).ask("churn 127.0.0.1 1")
      let process = try ChildProcess.run(
        namespace.command(
          Unprivileged.with(Self.tracing) + [
            program.binary, "stuck", "--state", "time-wait", "--older-than", "0s", "--netns", "self",
          ]))
      #expect(process.ending == .exited(0) && process.outputText.contains("TIME-WAIT"), "\(process.errorText)")
      #expect(process.errorText.isEmpty, "\(process.errorText)")
    }

    @Test(arguments: [[], ["lifecycle"], ["stuck", "--watch"]])
    func givenUpAfterAttaching(_ command: [String]) throws {
      for (options, kept) in [(["--netns", "self"], UInt64(0)), ([], Self.namespaces)] {
        let process = try ChildProcess([Tracer.binary] + command + ["--for", "60s", "--format", "jsonl"] + options)
        try process.read(until: Deadline(seconds: 60), "to start") { $0.errorText.contains("Ctrl-C ends") }
        var expected = CapabilitySets.none
        // lifecycle follows both ends, and the other one's namespace is any.
        expected["CapPrm"] = command == ["lifecycle"] ? Self.namespaces : kept
        #expect(try CapabilitySets(of: process.pid).held == expected, "\(command) \(options)")
        process.send(SIGINT)
        try process.wait(until: Deadline(seconds: 60))
      }
    }

    /// One look, held up by a reader that doesn't read, so that it can be looked at.
    @Test func givenUpByStuck() throws {
      let pair = try Pair()
      for peer in [pair.client, pair.server] { try peer.ask("descriptors 1000") }
      let port = try pair.server.ask("listen l 127.0.0.1 0 600").port
      try pair.client.ask("crowd_connect 127.0.0.1 \(port) 500")
      let process = try ChildProcess([
        Tracer.binary, "stuck", "--state", "established", "--older-than", "0s", "--format", "csv", "--netns",
        pair.namespace.path,
      ])
      var expected = CapabilitySets.none
      expected["CapPrm"] = Self.namespaces
      let deadline = Deadline(seconds: 60)
      var held: [String: UInt64] = [:]
      while held != expected, !deadline.hasPassed {
        held = try CapabilitySets(of: process.pid).held
        usleep(1000)
      }
      #expect(held == expected)
      #expect(try process.wait(until: Deadline(seconds: 60)) == .exited(1), "\(process.errorText)")
      #expect(try CSVTable(process.output).rows.count == 1000)
    }

    /// Root's commands are root's, as those of any program that sudo has started; others get no capability.
    @Test func commandsGetTheUsersRights() throws {
      let program = try Unprivileged()
      let own = try CapabilitySets(of: getpid()).sets["CapEff"]
      for (wrapper, expected) in [([], own), (Unprivileged.with(Self.tracing + ["sys_ptrace", "sys_admin"]), 0)] {
        let pair = try Pair()
        let port = try pair.connect().port
        let folder = try TemporaryFolder()
        chmod(folder.path, 0o777)
        let file = folder.file("status")
        let process = try ChildProcess(
          wrapper + [
            program.binary, "stuck", "--watch", "--older-than", "100ms", "-L", "\(port)", "--for", "60s", "--exec",
            "cat /proc/self/status > \(file); exit 7",
          ])
        try process.read(until: Deadline(seconds: 60), "to start") { $0.errorText.contains("Watching") }
        try pair.client.ask("shutdown c")
        try process.read(until: Deadline(seconds: 60), "the command") { $0.errorText.contains("status 7") }
        let sets = CapabilitySets(String(decoding: try TemporaryFolder.bytes(file), as: UTF8.self)).sets
        #expect(sets["CapEff"] == expected && sets["CapAmb"] == 0 && sets["CapInh"] == 0, "\(sets)")
        process.send(SIGINT)
        #expect(try process.wait(until: Deadline(seconds: 60)) == .exited(1), "\(process.errorText)")
      }
    }
  }
}
