// SPDX-License-Identifier: Apache-2.0
import TCPStateReport
import TestSupport
import Testing

/// `schema`, by the program itself.
@Suite struct SchemaCommandTests {
  @Test(arguments: [nil, "rows", "stuck", "summary", "ends"] as [String?])
  func json(_ subject: String?) throws {
    let process = try Recording.run(["schema"] + (subject.map { [$0] } ?? []))
    var expected = ByteBuffer()
    JSONSchema(subject.flatMap { SchemaSubject(rawValue: $0) } ?? .rows).append(to: &expected)
    #expect(process.outputText == expected.text && process.errorText.isEmpty)
  }

  @Test func markdown() throws {
    var page = ByteBuffer()
    ColumnsDocument().append(to: &page)
    #expect(try Recording.run(["schema", "--format", "markdown"]).outputText == page.text)
    var section = ByteBuffer()
    ColumnsDocument([.stuck]).append(to: &section)
    #expect(try Recording.run(["schema", "stuck", "--format", "markdown"]).outputText == section.text)
  }

  @Test func wrongUse() throws {
    for arguments in [["schema", "columns"], ["schema", "--format", "csv"]] {
      let process = try Recording.run(arguments, status: 64)
      #expect(process.outputText.isEmpty && process.errorLines.count == 1)
    }
  }

  /// A reader that is gone, as `head` is, isn't an error; a full disk is.
  @Test func output() throws {
    let closed = try Recording.run(["sh", "-c", "\"$0\" schema | head -n 1", Tracer.binary], bare: true)
    #expect(closed.outputText == "{\n" && closed.errorText.isEmpty)
    let full = try Recording.run(["sh", "-c", "\"$0\" schema > /dev/full", Tracer.binary], status: 74, bare: true)
    #expect(full.errorText.contains("can't write to standard output"))
  }
}
