// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TCPStateCore
import TestSupport
import Testing

@testable import tcpstate_trace

/// What is missing from a recording: every command says so, and `--strict` makes it a failure.
@Suite struct StrictTests {
  /// Every command with `--read`; those without output of their own for losses are here on purpose, too.
  private static let commands: [String] = TCPStateTrace.configuration.subcommands
    .filter { TCPStateTrace.helpMessage(for: $0).contains("--read") }
    .compactMap { $0.configuration.commandName ?? "\($0)".lowercased() }

  /// Options that a command needs to run without a terminal and to find nothing else to complain of.
  private static func options(_ command: String) -> [String] {
    switch command {
    case "stuck": ["--older-than", "1000h"]
    case "report": ["--output", "-"]
    default: []
    }
  }

  private static var lossy: String {
    var rows = Recording.rows(4)
    rows[2].sequence += 1023
    rows[3].sequence += 1023
    return Recording.csv(rows)
  }

  /// Nothing comes after the loss but the row that shows it.
  private static func endsInLoss(_ rows: [Transition]) -> [Transition] {
    rows + [.lossMarker(time: (rows.last?.time ?? 0) + 1, sequence: UInt64(rows.count) + 1024)]
  }

  @Test(arguments: commands.filter { $0 != "top" }) func lossesAtTheEnd(_ command: String) throws {
    let folder = try Folder()
    let rows = Recording.rows(4)
    for (name, text, plain) in [
      ("t.csv", Recording.csv(Self.endsInLoss(rows)), Recording.csv(rows)),
      ("t.jsonl", Recording.jsonLines(Self.endsInLoss(rows)), Recording.jsonLines(rows)),
    ] {
      let arguments = [command] + Self.options(command) + ["--read", try folder.write(name, text)]
      let lenient = try Recording.run(arguments)
      #expect(lenient.errorText.contains("1,023") && lenient.errorText.contains("lost"), "\(lenient.errorText)")
      _ = try Recording.run(arguments + ["--strict"], status: 3)
      // It is no transition and no socket: what is drawn is the same without it.
      let without = try Recording.run(
        [command] + Self.options(command) + ["--read", try folder.write("p-" + name, plain)])
      if command != "report" { #expect(lenient.outputText == without.outputText) }
    }
  }

  /// Converting a recording keeps it, with filters and without.
  @Test(arguments: ["csv", "jsonl"]) func lossesAtTheEndAreKept(_ format: String) throws {
    let folder = try Folder()
    let text = Recording.csv(Self.endsInLoss(Recording.rows(4)))
    let path = try folder.write("t.csv", text)
    let convert = ["trace", "--format", format, "--columns", "all", "--read"]
    let copy = try Recording.run(convert + [path])
    if format == "csv" { #expect(copy.outputText == text) }
    let again = try folder.write("again.\(format)", copy.outputText)
    _ = try Recording.run(["summary", "--strict", "--read", again], status: 3)
    let filtered = try Recording.run(convert + [path, "--longer-than", "1ns"])
    _ = try Recording.run(
      ["summary", "--strict", "--read", try folder.write("f.\(format)", filtered.outputText)], status: 3)
  }

  /// Numbers at the end of 64 bits: sums stop there instead of trapping.
  @Test(arguments: [
    [UInt64.max, 1, 2, 3], [1, UInt64(1) << 63, 1, UInt64(1) << 63], [1, UInt64.max, 1, UInt64.max],
    [1, UInt64.max - 1, UInt64.max, 5],
  ])
  func sequencesNearTheEnd(_ numbers: [UInt64]) throws {
    let folder = try Folder()
    var rows = Recording.rows(4)
    for (index, number) in numbers.enumerated() { rows[index].sequence = number }
    let path = try folder.write("t.csv", Recording.csv(rows))
    let views = [
      ["trace", "--format", "csv"], ["trace", "--longer-than", "1ns"], ["report", "--format", "perfetto"],
    ]
    for view in Self.commands.filter({ $0 != "top" }).map({ [$0] + Self.options($0) }) + views {
      _ = try Recording.run(view + ["--read", path])
      _ = try Recording.run(view + ["--read", path, path])
    }
  }

  @Test func allAreAsked() {
    #expect(Self.commands == ["trace", "top", "stuck", "summary", "lifecycle", "report", "tcpstates"])
  }

  @Test(arguments: commands.filter { $0 != "top" }) func losses(_ command: String) throws {
    let folder = try Folder()
    let arguments = [command, "--read", try folder.write("t.csv", Self.lossy)] + Self.options(command)
    let lenient = try Recording.run(arguments)
    #expect(lenient.errorText.contains("1,023"), "\(lenient.errorText)")
    #expect(lenient.errorText.contains("lost"))
    let strict = try Recording.run(arguments + ["--strict"], status: 3)
    #expect(strict.errorText == lenient.errorText)
    // The page says by which command it was made.
    let isTheCommand = { (line: Substring) in line.contains("id=\"origin\"") }
    let lines = { (output: String) in output.split(separator: "\n").filter { !isTheCommand($0) } }
    #expect(lines(strict.outputText) == lines(lenient.outputText))
  }

  @Test(arguments: commands.filter { $0 != "top" }) func leftOut(_ command: String) throws {
    let folder = try Folder()
    let text = Recording.csv(Recording.rows(3)) + "no row at all\n"
    let arguments = [command, "--skip-bad", "--read", try folder.write("t.csv", text)] + Self.options(command)
    #expect(try Recording.run(arguments).errorText.contains("1 line was left out"))
    _ = try Recording.run(arguments + ["--strict"], status: 3)
  }

  @Test(arguments: commands.filter { $0 != "top" }) func whole(_ command: String) throws {
    let folder = try Folder()
    let path = try folder.write("t.csv", Recording.csv(Recording.rows(3)))
    let process = try Recording.run([command, "--read", path, "--strict"] + Self.options(command))
    #expect(!process.errorText.contains("Incomplete"))
  }
}
