// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import TestSupport
import Testing

extension Privileged {
  /// The system calls that are left while it traces.
  @Suite struct CallFilterTests {
    /// Nothing that a command does later is refused: it reads tables, enters namespaces, writes and ends as before.
    @Test(
      .enabled(if: access("/usr/bin/strace", X_OK) == 0, "needs strace"),
      arguments: [
        ["trace", "--format", "csv", "--output", "o", "--record", "r"], ["trace", "-L", "1-65535"], ["summary"],
        ["summary", "--in-kernel"], ["lifecycle"], ["report", "--output", "o.html"], ["tcpstates", "-T"],
        ["stuck", "--watch", "--state", "established,close-wait", "--older-than", "200ms"],
        ["stuck", "--state", "time-wait,close-wait", "--older-than", "0s"],
      ])
    func refusesNothingNeeded(_ command: [String]) throws {
      let folder = try TemporaryFolder()
      let pair = try Pair()
      let port = try pair.connect().port
      var options = command + ["--netns", pair.namespace.path]
      if command[0] != "stuck" || command.contains("--watch") { options += ["--for", "3s"] }
      let inFolder = ["sh", "-c", "cd \"$1\" && shift && exec \"$@\"", "sh", folder.path]
      let process = try ChildProcess(inFolder + ["strace", "-f", "-o", "calls", Tracer.binary] + options)
      try process.read(until: Deadline(seconds: 60), "to be confined") { _ in
        usleep(2000)
        return Self.calls(folder).contains("PR_SET_SECCOMP") || process.errorText.contains("No socket")
      }
      // A connection that closes, one that is found in the tables, and one in TIME-WAIT.
      try pair.close(first: pair.client, then: pair.server)
      _ = try pair.connect(to: port)
      try pair.client.ask("shutdown c")
      try process.wait(until: Deadline(seconds: 60))
      #expect(process.ending == .exited(0) || process.ending == .exited(1), "\(process.errorText)")
      let after = try #require(Self.calls(folder).range(of: "PR_SET_SECCOMP")).upperBound
      let calls = Self.calls(folder)[after...].split(separator: "\n")
      #expect(calls.count > 10)
      for call in calls { #expect(!call.contains("EPERM") && !call.contains("exec"), "\(call)") }
    }

    private static func calls(_ folder: TemporaryFolder) -> String {
      (try? String(contentsOfFile: folder.file("calls"), encoding: .utf8)) ?? ""
    }

    /// Whatever starts others has no filter, because they would have it too.
    @Test func commandsOfExecHaveNone() throws {
      let folder = try TemporaryFolder()
      let pair = try Pair()
      try pair.connect()
      let tracer = try ChildProcess([
        Tracer.binary, "stuck", "--watch", "--state", "established", "--older-than", "100ms", "--netns",
        pair.namespace.path, "--for", "60s", "--exec",
        "grep -E 'Seccomp:|NoNewPrivs:' /proc/self/status > \(folder.file("new")); mv \(folder.file("new")) \(folder.file("status"))",
      ])
      try tracer.read(until: Deadline(seconds: 30), "to run the command") { _ in
        usleep(2000)
        return access(folder.file("status"), F_OK) == 0
      }
      let status = String(decoding: try TemporaryFolder.bytes(folder.file("status")), as: UTF8.self)
      #expect(status == "NoNewPrivs:\t0\nSeccomp:\t0\n")
    }

    /// Both on the tracer and the one that looks once.
    @Test func isInForce() throws {
      let namespace = try NetworkNamespace()
      let tracer = try Tracer(of: namespace)
      try tracer.process.read(until: Deadline(seconds: 20), "the filter") { _ in
        usleep(2000)
        let status = try? String(contentsOfFile: "/proc/\(tracer.process.pid)/status", encoding: .utf8)
        return status?.contains("Seccomp:\t2") ?? false
      }
      try tracer.stop()
    }
  }
}
