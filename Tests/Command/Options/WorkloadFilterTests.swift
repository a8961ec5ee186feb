// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

/// `--container`, `--pod` and `--unit` on a recording.
@Suite struct WorkloadFilterTests {
  /// Three rows: in a pod's container, in the container without a name, in a unit.
  private static let recording = TestFile.url("Tests/Report/Fixtures/workloads/all.csv").path

  /// Options, and the new states of the rows that they show.
  private static let shown: [(String, [String])] = [
    ("--container nginx", ["syn_sent"]), ("--container ngin", []), ("--container ng*", ["syn_sent"]),
    ("--container 3f2a81", ["syn_sent", "established"]), ("--container x,3f2", ["syn_sent", "established"]),
    ("--pod default/web-*", ["syn_sent"]), ("--pod web-7d9f8c6b54-x2x9k-of-a-very-long-name", ["syn_sent"]),
    ("--pod other/web-*", []), ("--unit app-*", ["close_wait"]), ("--unit app", []),
    ("--pod default/* --container nginx", ["syn_sent"]), ("--pod default/* --container x", []),
  ]

  @Test(arguments: shown) func rows(_ options: String, _ states: [String]) throws {
    let arguments = options.split(separator: " ").map { String($0) }
    let process = try Recording.run(["--format", "csv", "--columns", "all", "--read", Self.recording] + arguments)
    #expect(try CSVTable(process.output).rows.map { $0["state_new"] } == states, "\(process.errorText)")
  }

  @Test(arguments: [
    (["--container", ""], "--container: a name is empty"),
    (["--pod", "default/"], "--pod: 'default/' is not NAMESPACE/NAME"),
    (["--pod", "/web"], "--pod: '/web' is not NAMESPACE/NAME"), (["--unit", "a,"], "--unit: a name is empty"),
  ])
  func usage(_ options: [String], _ message: String) throws {
    let process = try Recording.run(["--read", Self.recording] + options, status: 64)
    #expect(process.errorText.contains(message), "\(process.errorText)")
  }

  /// What is written is read back, whatever somebody has called it.
  @Test(arguments: ["csv", "jsonl"]) func roundTrip(_ format: String) throws {
    let first = try Recording.run(["--format", format, "--columns", "all", "--read", Self.recording])
    let folder = try Folder()
    let copy = try folder.write("copy", first.outputText)
    let again = try Recording.run(["--format", "csv", "--columns", "all", "--read", copy])
    let direct = try Recording.run(["--format", "csv", "--columns", "all", "--read", Self.recording])
    #expect(again.outputText == direct.outputText && direct.outputText.contains("\"app-\\x2dweb@\"\"1\"\",é.service\""))
  }

  @Test func summary() throws {
    let process = try Recording.run(["summary", "--by", "unit,container", "--format", "csv", "--read", Self.recording])
    let rows = try CSVTable(process.output).rows
    #expect(
      rows.contains { $0["unit"] == "app-\\x2dweb@\"1\",é.service" && $0["state"] == "established" },
      "\(process.outputText)")
  }
}
