// SPDX-License-Identifier: Apache-2.0
import Foundation
import TCPStateCore
import TestSupport
import Testing

@testable import TCPStateReport

/// A diagnosis as people and programs read it.
@Suite struct DiagnosisTextTests {
  private static let checks = [
    Check(
      .kernel, "btf", title: "BTF", .ok, "/sys/kernel/btf/vmlinux, 5.5 MB", "programs are fitted to this kernel with it"
    ),
    Check(.kernel, "tracefs", .note, "not mounted", remedy: "mount it"),
    Check(.rights, "cap_bpf", title: "CAP_BPF", .no, "missing", "no program may be loaded", remedy: "run it with sudo"),
    Check(
      .rights, "cap_sys_ptrace", title: "CAP_SYS_PTRACE", .less, "missing",
      "only named network namespaces (ip netns) and this process's own are found",
      remedy: "run it with sudo, or give the capability to the program that starts it and all that it starts"),
    Check(.surroundings, "cgroup", title: "cgroups", .unknown, "unknown"),
    Check(.tracing, "programs", .no, "can't load the \"BPF\" programs\u{1b}[2J", "Operation not permitted"),
  ]

  private static func text(_ diagnosis: Diagnosis, _ style: TableStyle = TableStyle()) -> String {
    var buffer = ByteBuffer()
    DiagnosisText(style).append(diagnosis, to: &buffer)
    return buffer.text
  }

  @Test func golden() throws {
    let text = Self.text(Diagnosis(Self.checks, canTrace: false))
    #expect(try Golden("doctor/refused.txt").difference(from: Data(text.utf8)) == nil)
  }

  @Test(arguments: [nil, 20, 60, 80, 100, 200] as [Int?])
  func fitsTheWidth(_ width: Int?) {
    let lines = Self.text(Diagnosis(Self.checks, canTrace: false), TableStyle(width: width)).split(separator: "\n")
    let limit = max(60, min(width ?? 80, 100))
    #expect(lines.allSatisfy { DisplayWidth.of(String($0)) <= limit && $0.last != " " }, "\(lines)")
  }

  @Test func looks() {
    let ascii = Self.text(Diagnosis(Self.checks, canTrace: false), TableStyle(glyphs: .ascii))
    #expect(ascii.allSatisfy(\.isASCII) && ascii.contains("-> mount it"))
    let plain = Self.text(Diagnosis(Self.checks, canTrace: false))
    #expect(!plain.contains("\u{1b}") && plain.contains("\\x1b[2J"))
    let colored = Self.text(Diagnosis(Self.checks, canTrace: false), TableStyle(color: true))
    #expect(colored.contains("\u{1b}[1;31mno\u{1b}[0m"))
    let withoutColor = colored.replacing(/\u{1b}\[[0-9;]*m/, with: "")
    #expect(withoutColor == plain)
  }

  /// Loading is named as a cause only if nothing else is known.
  @Test(arguments: [
    ([0], true, "Tracing works here."), ([0, 1, 4], true, "Tracing works here."),
    ([0, 3], true, "Tracing works here, with less: CAP_SYS_PTRACE."),
    ([2, 3, 5], false, "Tracing isn't possible here: CAP_BPF."),
    ([0, 5], false, "Tracing isn't possible here: programs."),
  ])
  func conclusion(_ shown: [Int], _ canTrace: Bool, _ expected: String) {
    let text = Self.text(Diagnosis(shown.map { Self.checks[$0] }, canTrace: canTrace))
    #expect(text.hasSuffix("\n\n\(expected)\n"), "\(text)")
  }

  @Test func json() throws {
    var buffer = ByteBuffer()
    DiagnosisJSON.append(Diagnosis(Self.checks, canTrace: false), version: "1.2.3", to: &buffer)
    #expect(buffer.text.hasSuffix("}\n") && buffer.text.count { $0 == "\n" } == 1)
    let object = try #require(try JSONSerialization.jsonObject(with: Data(buffer.text.utf8)) as? [String: Any])
    #expect(object["version"] as? String == "1.2.3" && object["can_trace"] as? Bool == false)
    let checks = try #require(object["checks"] as? [[String: String]])
    #expect(checks.map { $0["name"] } == Self.checks.map(\.name))
    for (read, check) in zip(checks, Self.checks) {
      #expect(
        read == [
          "name": check.name, "group": check.group.rawValue, "status": check.status.rawValue, "found": check.found,
          "meaning": check.meaning, "remedy": check.remedy,
        ])
    }
  }
}
