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
    #expect(strict.output == lenient.output)
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
