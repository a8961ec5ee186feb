// SPDX-License-Identifier: Apache-2.0
import Foundation
import TCPStateCore
import TCPStateReport
import TestSupport
import Testing

@Suite struct JSONSchemaTests {
  private static func text(_ subject: SchemaSubject) -> String {
    var buffer = ByteBuffer()
    JSONSchema(subject).append(to: &buffer)
    return buffer.text
  }

  @Test(arguments: SchemaSubject.allCases) func golden(_ subject: SchemaSubject) throws {
    let golden = Golden("schema/\(subject.rawValue).json")
    if let difference = try golden.difference(from: Data(Self.text(subject).utf8)) {
      Issue.record(Comment(rawValue: difference))
    }
  }

  /// What a golden file of JSON Lines has rows of; `nil` for lives of connections.
  private static func subject(_ path: String) -> SchemaSubject? {
    switch path.split(separator: "/").first {
    case "ladder", "follow": nil
    case "stuck": .stuck
    case let folder? where folder.hasPrefix("summary"): .summary
    default: .rows
    }
  }

  /// Every row of every golden file is valid.
  @Test func goldenRowsAreValid() throws {
    let folder = TestFile.url("Fixtures")
    let files = try #require(FileManager.default.subpaths(atPath: folder.path)).filter { $0.hasSuffix(".jsonl") }
    var rows: [SchemaSubject: Int] = [:]
    for file in files {
      guard let subject = Self.subject(file) else { continue }
      let validator = try SchemaValidator(Self.text(subject))
      let text = try String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8)
      for line in text.split(separator: "\n") {
        let faults = try validator.faults(line)
        #expect(faults.isEmpty, "\(file): \(faults)")
        rows[subject, default: 0] += 1
      }
    }
    for subject in SchemaSubject.allCases where subject != .ends {
      #expect(rows[subject, default: 0] > 4, "\(subject)")
    }
  }

  @Test func anyRowIsValid() throws {
    let validator = try SchemaValidator(Self.text(.rows))
    var random = SeededGenerator(seed: 44)
    var json = JSONLinesWriter(columns: Column.allCases)
    for _ in 0..<500 {
      var buffer = ByteBuffer()
      json.append(RandomTransition.make(&random), to: &buffer)
      let faults = try validator.faults(buffer.text)
      #expect(faults.isEmpty, "\(faults)")
    }
  }

  @Test(arguments: [
    #"{"tcp.rol":"client"}"#, #"{"tcp.role":"Client"}"#, #"{"process.pid":"17"}"#, #"{"process.pid":-1}"#,
    #"{"process.pid":1.5}"#, #"{"tcp.bytes_sent":17}"#, #"{"tcp.bytes_sent":"017"}"#, #"{"network.local.port":0}"#,
    #"{"network.local.port":65536}"#, #"{"network.local.address":"1.2.3"}"#, #"{"tcp.state_old":"ESTABLISHED"}"#,
    #"{"tcp.connection_id":"7"}"#, #"{"timestamp":"2026-11-23"}"#, #"{"tcp.reason":""}"#, #"[]"#,
  ])
  func otherRowsAreNot(_ row: String) throws {
    #expect(try !SchemaValidator(Self.text(.rows)).faults(row).isEmpty)
  }

  /// A column that is missing from one row is unknown, but some of a summary never are.
  @Test func requiredColumns() throws {
    #expect(try SchemaValidator(Self.text(.rows)).faults("{}").isEmpty)
    #expect(try !SchemaValidator(Self.text(.summary)).faults("{}").isEmpty)
  }
}
