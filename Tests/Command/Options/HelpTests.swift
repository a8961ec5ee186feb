// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@testable import tcpstate_trace

/// What `--help` says of each command.
@Suite struct HelpTests {
  private static let commands = Subcommands.names.filter { $0 != "help" }

  @Test(arguments: commands) func hasExamples(_ command: String) throws {
    let help = try Recording.run([command, "--help"]).outputText
    #expect(help.contains("EXAMPLES"), "\(command)")
    for line in help.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
  }

  /// A command's own options come before the filters that all have.
  @Test(arguments: commands.filter { $0 != "top" }) func ownOptionsFirst(_ command: String) throws {
    let help = try Recording.run([command, "--help"]).outputText
    let sections = help.split(separator: "\n").filter {
      $0.hasSuffix(":") && !$0.hasPrefix(" ") && $0 == $0.uppercased() && !$0.contains("EXAMPLES")
    }.map { String($0.dropLast()) }
    guard let filters = sections.firstIndex(where: { $0.hasPrefix("WHICH ") }) else { return }
    #expect(filters > 0, "\(sections)")
    for shared in ["RECORDINGS", "TRACING"] where command != "trace" {
      if let index = sections.firstIndex(of: shared) { #expect(index > filters, "\(sections)") }
    }
  }

  @Test func whatItSays() throws {
    let help = try Recording.run(["stuck", "--help"]).outputText
      .split(whereSeparator: \.isWhitespace).joined(separator: " ")
    for word in ["syn-received", "fin-wait-2", "last-ack", "time-wait", "still in the state after at least this long"] {
      #expect(help.contains(word), "\(word)")
    }
    #expect(help.contains("--longer-than means the same here; elsewhere it is about stays that have ended"))
    for arguments in [["help", "stuk"], ["stuk", "--help"], ["stuk", "-h"]] {
      let process = try Recording.run(arguments, status: 64)
      #expect(process.outputText.isEmpty && process.errorText.contains("did you mean 'stuck'?"))
    }
    #expect(try Recording.run(["nginx", "--help"]).outputText.contains("WHICH CONNECTIONS"))
  }

  /// What was in a file before is gone, and that is said; an empty file, a new one and --append say nothing.
  @Test func replacing() throws {
    let folder = try Folder()
    let recording = try folder.write("t.csv", Recording.csv(Recording.rows(10)))
    let output = try folder.write("out.csv", "")
    func run(_ more: String...) throws -> String {
      try Recording.run(["--read", recording, "--format", "csv", "--output", output] + more).errorText
    }
    #expect(try !run().contains("Replacing"))
    let size = try #require(FileManager.default.attributesOfItem(atPath: output)[.size] as? Int)
    let said = try run()
    #expect(
      said.contains(
        "Replacing what was in \(output): \(size.formatted(.number.locale(Locale(identifier: "en_US")))) B."))
    #expect(try !run("--append").contains("Replacing"))
    #expect(
      try !Recording.run(["--read", recording, "--output", folder.path + "/new"]).errorText.contains("Replacing"))
  }
}
