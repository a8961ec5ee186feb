// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import TCPStateReport

struct SchemaCommand: ParsableCommand {
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case json, markdown
  }

  static let configuration = CommandConfiguration(
    commandName: "schema",
    abstract: "Print the JSON Schema of the rows of JSON Lines, or a page about every column.",
    discussion: """
      The schema is JSON Schema's draft 2020-12. No privileges are needed.

      EXAMPLES:
        tcpstate-trace schema                     of the rows of trace
        tcpstate-trace schema stuck               of what stuck writes
        tcpstate-trace schema --format markdown   names, types, units and meanings
      """)

  @Argument(help: "rows (the default of json), stuck or summary; markdown has all of them by default.")
  var subject: SchemaSubject?

  @Option(help: "json or markdown.")
  var format = Format.json

  mutating func run() throws {
    signal(SIGPIPE, SIG_IGN)
    var file = try OutputFile(path: nil)
    switch format {
    case .json: JSONSchema(subject ?? .rows).append(to: &file.pending)
    case .markdown: ColumnsDocument(subject.map { [$0] } ?? SchemaSubject.allCases).append(to: &file.pending)
    }
    try file.writeOut()
  }
}

extension SchemaSubject: ExpressibleByArgument {}
