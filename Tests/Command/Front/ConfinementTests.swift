// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import TestSupport
import Testing

/// What a command that reads recordings has left of its rights, and of the system calls.
@Suite struct ConfinementTests {
  private let folder: Folder
  private let text = Recording.csv(Recording.rows(20))

  init() throws { folder = try Folder() }

  /// The fields of /proc/PID/status once it waits for more of its input.
  private func status(_ arguments: [String]) throws -> [String: String] {
    let process = try ChildProcess([Tracer.binary] + arguments)
    try process.write(text)
    var fields: [String: String] = [:]
    try process.read(until: Deadline(seconds: 20), "to be confined") { _ in
      usleep(2000)
      guard let text = try? String(contentsOfFile: "/proc/\(process.pid)/status", encoding: .utf8) else { return false }
      for line in text.split(separator: "\n") {
        let parts = line.split(separator: "\t", maxSplits: 1)
        if parts.count == 2 { fields[String(parts[0])] = String(parts[1]) }
      }
      return fields["Seccomp:"] == "2"
    }
    process.closeInput()
    try process.wait(until: Deadline(seconds: 20))
    return fields
  }

  @Test(arguments: ["trace", "summary", "lifecycle", "report", "tcpstates", "stuck"])
  func rights(_ command: String) throws {
    let fields = try status([command, "--read", "-"])
    for set in ["CapInh:", "CapPrm:", "CapEff:", "CapAmb:"] { #expect(fields[set] == "0000000000000000", "\(set)") }
    #expect(fields["NoNewPrivs:"] == "1" && fields["Seccomp:"] == "2")
  }

  /// All that is done works under the filter: nothing is refused but what the C library can do without.
  @Test(
    .enabled(if: access("/usr/bin/strace", X_OK) == 0, "needs strace"),
    arguments: ["trace", "summary", "lifecycle", "report", "tcpstates", "stuck"])
  func refused(_ command: String) throws {
    let path = try folder.write("t.csv", text)
    _ = try Recording.run(["gzip", "-k", path], bare: true)
    for input in [path, path + ".gz"] {
      let process = try Recording.run(
        [
          "strace", "-f", "-o", "\(folder.path)/calls", Tracer.binary, command, "--read", input, "--output",
          "\(folder.path)/o",
        ],
        bare: true)
      #expect(process.ending == .exited(0))
      let calls = try String(contentsOfFile: "\(folder.path)/calls", encoding: .utf8)
      // The tool's calls are its own.
      let main = calls.split(separator: " ").first ?? ""
      let ours = calls.split(separator: "\n").filter { $0.hasPrefix("\(main) ") }
      let start = try #require(ours.firstIndex { $0.contains("PR_SET_SECCOMP") })
      for call in ours[(start + 1)...] {
        #expect(!["open", "exec", "socket(", "EPERM"].contains { call.contains($0) }, "\(call)")
      }
    }
  }

  /// All calls that are named without a condition on the architecture are there on arm64, too, which has the generic table.
  @Test(.enabled(if: access("/usr/include/asm-generic/unistd.h", R_OK) == 0, "needs the kernel's headers"))
  func namesOfArm64() throws {
    let header = try String(contentsOfFile: "/usr/include/asm-generic/unistd.h", encoding: .utf8)
    let known = Set(header.matches(of: /#define __NR_(\w+)/).map { $0.1 })
    let rules = try String(
      contentsOf: TestFile.url("Sources/TCPStateProgram/Confinement/CallRules.swift"), encoding: .utf8)
    let portable = rules.replacing(/#if arch\(x86_64\).*?#endif/.dotMatchesNewlines(), with: "")
    let used = Set(portable.matches(of: /SYS_(\w+)/).map { $0.1 })
    #expect(used.count > 50)
    #expect(used.subtracting(known).isEmpty, "\(used.subtracting(known).sorted())")
  }

  /// One big file is read with threads, which start under the filter.
  @Test func threads() throws {
    let rows = Recording.csv(Recording.rows(60_000))
    let path = try folder.write("big.csv", rows)
    #expect(try Recording.run(["summary", "--read", path]).errorText.contains("60,000 transitions, 0 lost"))
    // One that turns out to need the general reader after all.
    let bad = try folder.write("bad.csv", rows + "no row\n")
    let output = try folder.write("out", "precious\n")
    _ = try Recording.run(["summary", "--read", bad, "--output", output], status: 65)
    #expect(try String(contentsOfFile: output, encoding: .utf8) == "precious\n")
    #expect(try Recording.run(["summary", "--read", bad, "--skip-bad"]).errorText.contains("1 left out"))
  }

  /// Local times come from a file that is read before.
  @Test func timeZone() throws {
    let path = try folder.write("t.csv", text)
    let zoned = try Recording.run(["env", "TZ=Asia/Tokyo", Tracer.binary, "--read", path], bare: true)
    let shifted = try Recording.run(["env", "TZ=JST-9", Tracer.binary, "--read", path], bare: true)
    let universal = try Recording.run(["--read", path, "--utc"])
    #expect(shifted.outputText != universal.outputText)
    if access("/usr/share/zoneinfo/Asia/Tokyo", F_OK) == 0 { #expect(zoned.outputText == shifted.outputText) }
  }
}
