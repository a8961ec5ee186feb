// SPDX-License-Identifier: Apache-2.0
import Foundation
import TCPStateReport
import TestSupport
import Testing

@Suite struct ColumnsDocumentGoldenTests {
  private static func page(_ subjects: [SchemaSubject] = SchemaSubject.allCases) -> String {
    var buffer = ByteBuffer()
    ColumnsDocument(subjects).append(to: &buffer)
    return buffer.text
  }

  /// docs/columns.md is what the code prints.
  @Test func page() throws {
    let golden = Golden(url: TestFile.url("docs").appendingPathComponent("columns.md"))
    if let difference = try golden.difference(from: Data(Self.page().utf8)) {
      Issue.record(Comment(rawValue: difference))
    }
  }

  @Test(arguments: SchemaSubject.allCases) func sectionsHaveEveryColumn(_ subject: SchemaSubject) {
    let page = Self.page([subject])
    for column in subject.columns {
      #expect(page.contains("| `\(column.name)` | `\(column.jsonName)` |"), "\(column.name)")
      for word in column.type.values { #expect(page.contains("`\(word)`"), "\(column.name)") }
    }
    for line in page.split(separator: "\n") where line.hasPrefix("|") {
      #expect([3, 4, 6].contains(line.count { $0 == "|" }), "\(line)")
    }
  }

  @Test func fieldsOfManualPages() throws {
    let fields = ColumnsDocument.fields(of: .rows)
    #expect(fields.map(\.name) == Column.allCases.map(\.csvName))
    let rtt = try #require(fields.first { $0.name == "rtt_us" })
    #expect(rtt.text == "Smoothed round-trip time. Unit: microseconds. JSON: `tcp.rtt_us`.")
    let closer = try #require(fields.first { $0.name == "closer" })
    #expect(closer.text.hasSuffix(" One of active, passive, both. JSON: `tcp.closer`."))
  }
}
