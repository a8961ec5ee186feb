// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import TestSupport
import Testing

/// `doctor` by whoever runs the tests, and as a user without any rights.
@Suite struct DoctorTests {
  /// As a user who has nothing, if that can be arranged.
  private static func run(_ options: [String] = []) throws -> ChildProcess {
    guard geteuid() == 0 else { return try ChildProcess.run([Tracer.binary, "doctor"] + options) }
    let folder = try Folder()
    chmod(folder.path, 0o755)
    let binary = "\(folder.path)/tcpstate-trace"
    // By another process: a test that forks meanwhile would inherit the open file, and then it can't be run.
    _ = try ChildProcess.run(["cp", Tracer.binary, binary])
    return try ChildProcess.run(
      ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", binary, "doctor"] + options)
  }

  @Test func withoutRights() throws {
    let process = try Self.run()
    #expect(process.ending == .exited(69) && process.errorText.isEmpty, "\(process.errorText)")
    let text = process.outputText
    #expect(text.contains("CAP_BPF") && text.contains("→ run it with sudo\n"), "\(text)")
    #expect(text.contains("\nTracing isn't possible here: CAP_BPF, CAP_PERFMON"), "\(text)")
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= 80 })
  }

  @Test func json() throws {
    let process = try Self.run(["--format", "json"])
    #expect(process.ending == .exited(69) && process.errorText.isEmpty)
    let object = try #require(try JSONSerialization.jsonObject(with: Data(process.output)) as? [String: Any])
    #expect(object["can_trace"] as? Bool == false)
    let checks = try #require(object["checks"] as? [[String: String]])
    let names = checks.compactMap { $0["name"] }
    #expect(Set(names).count == names.count)
    for name in ["kernel", "btf", "cap_bpf", "seccomp", "pid_namespace", "proc", "cgroup", "tcp_tw_reuse", "programs"] {
      #expect(names.contains(name), "\(name)")
    }
    let statuses = Set(checks.compactMap { $0["status"] })
    #expect(statuses.isSubset(of: ["ok", "note", "less", "unknown", "no"]))
  }

  @Test func wrongUse() throws {
    for arguments in [["doctor", "--format", "csv"], ["doctor", "me"]] {
      let process = try Recording.run(arguments, status: 64)
      #expect(process.outputText.isEmpty && process.errorLines.count == 1)
    }
    let full = try Recording.run(["sh", "-c", "\"$0\" doctor > /dev/full", Tracer.binary], status: 74, bare: true)
    #expect(full.errorText.contains("can't write to standard output"))
  }

  /// Every check that can be named has its row in the page about it.
  @Test func isDocumented() throws {
    let page = try String(contentsOf: TestFile.url("docs/doctor.md"), encoding: .utf8)
    let object = try JSONSerialization.jsonObject(with: Data(try Self.run(["--format", "json"]).output))
    let checks = (object as? [String: Any])?["checks"] as? [[String: String]] ?? []
    #expect(checks.count > 20)
    for check in checks { #expect(page.contains("| `\(check["name"] ?? "")` |"), "\(check)") }
    for name in ["tables", "owners", "accept", "in_kernel"] { #expect(page.contains("| `\(name)` |"), "\(name)") }
  }
}
