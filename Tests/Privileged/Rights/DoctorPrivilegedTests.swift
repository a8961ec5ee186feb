// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import TestSupport
import Testing

extension Privileged {
  /// `doctor` where it can trace, and where something stands in its way.
  @Suite struct DoctorPrivilegedTests {
    /// By the names of the checks.
    private struct Report {
      let process: ChildProcess
      let canTrace: Bool
      private(set) var checks: [String: [String: String]] = [:]

      init(_ wrapper: [String] = [], binary: String = Tracer.binary) throws {
        process = try ChildProcess.run(wrapper + [binary, "doctor", "--format", "json"], seconds: 60)
        guard let object = try JSONSerialization.jsonObject(with: Data(process.output)) as? [String: Any],
          let checks = object["checks"] as? [[String: String]], let canTrace = object["can_trace"] as? Bool
        else { throw TestFailure("\(process.outputText)\(process.errorText)") }
        self.canTrace = canTrace
        for check in checks { self.checks[check["name"] ?? ""] = check }
        #expect(process.ending == .exited(canTrace ? 0 : 69) && process.errorText.isEmpty, "\(process.errorText)")
      }

      func status(_ name: String) -> String { checks[name]?["status"] ?? "" }
      func text(_ name: String) -> String {
        ["found", "meaning", "remedy"].compactMap { checks[name]?[$0] }.joined(separator: "; ")
      }
      func names(_ status: String) -> Set<String> { Set(checks.keys.filter { self.status($0) == status }) }
    }

    @Test func root() throws {
      let report = try Report()
      #expect(report.canTrace && report.names("no").isEmpty)
      for name in [
        "btf", "tracepoints", "iterators", "cap_bpf", "cap_sys_ptrace", "seccomp", "proc", "tables", "owners",
      ] {
        #expect(report.status(name) == "ok", "\(name): \(report.text(name))")
      }
    }

    /// Nothing stays attached, and nothing is said on standard error.
    @Test func leavesNothing() throws {
      let before = try Self.programs()
      _ = try Report()
      // The kernel frees them a moment later.
      let deadline = Deadline(seconds: 30)
      while try Self.programs() > before, !deadline.hasPassed { usleep(10_000) }
      #expect(try Self.programs() <= before)
    }

    private static func programs() throws -> Int {
      let links = try ChildProcess.run(["sh", "-c", "ls -l /proc/*/fd 2>/dev/null | grep -c bpf_link; true"])
      return Int(links.outputText.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
    }

    @Test func withoutProc() throws {
      let report = try Report(["unshare", "-m", "sh", "-c", "mount -t tmpfs none /proc && exec \"$0\" \"$@\""])
      #expect(report.canTrace && report.status("proc") == "less" && report.text("proc").contains("mount -t proc"))
      #expect(report.status("cgroup") == "unknown" && report.status("local_ports") == "unknown")
      #expect(report.status("cap_bpf") == "ok")
    }

    @Test func inPIDNamespace() throws {
      let report = try Report(["unshare", "-p", "-f", "--mount-proc"])
      #expect(report.canTrace && report.status("pid_namespace") == "less")
      #expect(report.text("pid_namespace").contains("--pid=host"))
    }

    /// Root there has every capability, and none that the kernel asks for; errors say the same.
    @Test func inUserNamespace() throws {
      let wrapper = ["unshare", "-U", "-r"]
      let report = try Report(wrapper)
      #expect(!report.canTrace && report.names("no") == ["cap_bpf", "cap_perfmon", "user_namespace", "programs"])
      let refused = try ChildProcess.run(wrapper + [Tracer.binary, "--for", "2s"])
      #expect(refused.ending == .exited(77))
      #expect(refused.errorText.contains(report.checks["programs"]?["remedy"] ?? "?"), "\(refused.errorText)")
    }

    /// What a filter refuses isn't taken for a missing capability, neither here nor in errors.
    @Test(arguments: ["errno", "kill"])
    func filterRefusesBPF(_ action: String) throws {
      let wrapper = ["python3", Privileged.file("peers/filtered.py"), action, "bpf"]
      let report = try Report(wrapper)
      #expect(!report.canTrace && report.names("no") == ["seccomp", "programs"], "\(report.checks)")
      #expect(report.status("cap_bpf") == "ok")
      #expect(report.text("seccomp").contains("bpf(2)") && report.text("seccomp").contains("no missing capability"))
      guard action == "errno" else { return }  // of which nobody can speak any more
      let refused = try ChildProcess.run(wrapper + [Tracer.binary, "--for", "2s"])
      #expect(refused.ending == .exited(77), "\(refused.errorText)")
      #expect(refused.errorText.contains("a seccomp filter refuses bpf(2)"), "\(refused.errorText)")
    }

    /// A filter that refuses less, with an error or by killing, is named as well.
    @Test(arguments: ["errno", "kill"])
    func filterRefusesLess(_ action: String) throws {
      let wrapper = ["python3", Privileged.file("peers/filtered.py"), action, "perf_event_open,setns"]
      let report = try Report(wrapper)
      #expect(report.canTrace && report.status("seccomp") == "less")
      #expect(report.text("seccomp").contains("perf_event_open(2), setns(2)"), "\(report.text("seccomp"))")
    }

    @Test(
      arguments: [
        (["bpf", "perfmon"], ["cap_sys_admin", "cap_sys_ptrace"]),
        (["bpf", "perfmon", "sys_admin"], ["cap_sys_ptrace"]),
        (["bpf", "perfmon", "sys_ptrace", "sys_admin"], []),
      ] as [([String], Set<String>)])
    func capabilities(_ capabilities: [String], _ less: Set<String>) throws {
      let program = try Unprivileged()
      let report = try Report(Unprivileged.with(capabilities), binary: program.binary)
      #expect(report.canTrace && report.names("no").isEmpty)
      #expect(report.names("less").subtracting(["tables"]) == less, "\(report.names("less"))")
    }
  }
}
