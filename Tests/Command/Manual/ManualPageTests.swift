// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

/// The man pages, as `make man` makes them.
struct ManualPageTests {
  private static let commands = [
    "trace", "top", "stuck", "summary", "lifecycle", "report", "tcpstates", "serve", "explain", "doctor", "schema",
  ]

  /// Neither of the two programs that show man pages has a complaint.
  @Test(
    .enabled(if: access("/usr/bin/mandoc", X_OK) == 0 && access("/usr/bin/man", X_OK) == 0, "needs mandoc and man"))
  func areClean() throws {
    let out = try MadeFromDeclarations("scripts/man.py")
    let names = ["tcpstate-trace.1", "tcpstate-trace-columns.5"] + Self.commands.map { "tcpstate-trace-\($0).1" }
    for name in names {
      let lint = try ChildProcess.run(["mandoc", "-T", "lint", "\(out.folder)/\(name)"])
      #expect(lint.outputText.isEmpty && lint.errorText.isEmpty, "\(lint.outputText)\(lint.errorText)")
      let page = try ChildProcess.run(
        ["env", "LC_ALL=C.UTF-8", "MANWIDTH=100", "man", "-l", "--warnings", "\(out.folder)/\(name)"])
      #expect(page.ending == .exited(0) && page.errorText.isEmpty, "\(name): \(page.errorText)")
      #expect(!page.outputText.contains("\\f"), "\(name) shows an escape")
    }
    #expect(try ChildProcess.run(["ls", out.folder]).outputText.split(separator: "\n").count == names.count)
  }

  /// Each command's page has all of its options, as --help lists them, and the sections that people look for.
  @Test(arguments: [""] + commands)
  func isComplete(_ command: String) throws {
    let out = try MadeFromDeclarations("scripts/man.py")
    let file = "\(out.folder)/tcpstate-trace\(command.isEmpty ? "" : "-\(command)").1"
    let text = try ChildProcess.run(["sed", "s/\\\\-/-/g", file]).outputText
    let help = try Recording.run(command.isEmpty ? ["--help"] : ["help", command]).outputText
    // The column of names, which texts don't reach.
    let lines = help.split(separator: "\n").filter { $0.hasPrefix("  -") }
    let options = lines.flatMap { line in
      line.split(whereSeparator: { " ,".contains($0) }).prefix { $0.hasPrefix("-") || $0.hasPrefix("<") }
    }.filter { $0.hasPrefix("--") }
    #expect(options.count >= 2)
    for option in Set(options) { #expect(text.contains("\\fB\(option)\\fR"), "\(option)") }
    var sections = ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXAMPLES", "EXIT STATUS", "SEE ALSO"]
    if !["explain", "schema"].contains(command) { sections += ["REQUIREMENTS", "OVERHEAD"] }
    if ["", "trace", "stuck", "summary"].contains(command) { sections.append("FIELDS") }
    if command == "stuck" { sections.append("VERDICTS") }
    for section in sections { #expect(text.contains("\n.SH \(section)\n"), "\(section)") }
  }

  @Test func columns() throws {
    let out = try MadeFromDeclarations("scripts/man.py")
    let text = try ChildProcess.run(["sed", "s/\\\\-/-/g", "\(out.folder)/tcpstate-trace-columns.5"]).outputText
    for subject in ["rows", "stuck", "summary"] {
      let table = try Recording.run(["schema", subject, "--format", "markdown"]).outputText
      let rows = table.split(separator: "\n").filter { $0.hasPrefix("| `") }
      let names = rows.map { $0.dropFirst(3).prefix { $0 != "`" } }
      #expect(names.count > 5)
      for name in names { #expect(text.contains("\\fB\(name)\\fR"), "\(name)") }
    }
  }
}
