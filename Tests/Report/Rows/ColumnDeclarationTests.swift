// SPDX-License-Identifier: Apache-2.0
import Foundation
import TCPStateCore
import TCPStateReport
import TestSupport
import Testing

/// Whatever column is declared is documented, written and read: nothing here names a column that isn't special.
@Suite struct ColumnDeclarationTests {
  private static let all = SchemaSubject.allCases.flatMap { subject in subject.columns.map { (subject, $0) } }

  @Test func everyColumnIsDocumented() {
    for (subject, column) in Self.all {
      let name = "\(subject): \(column.name)"
      #expect(column.name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 95 }, "\(name)")
      #expect(column.meaning.hasSuffix(".") && column.meaning.count > 8, "\(name) needs a sentence")
      #expect(
        column.meaning.first.map { !$0.isLowercase || column.name == "cgroup_id" || column.name == "cgroup_path" }
          == true, "\(name)")
      #expect(!column.meaning.contains("|"), "\(name)")
    }
  }

  @Test(arguments: SchemaSubject.allCases) func namesAreUnique(_ subject: SchemaSubject) {
    #expect(Set(subject.columns.map(\.name)).count == subject.columns.count)
    #expect(Set(subject.columns.map(\.jsonName)).count == subject.columns.count)
  }

  /// A unit in the name is the unit of the declaration.
  @Test func unitsOfNames() {
    let units: [(String, ColumnUnit)] = [
      ("ns", .nanoseconds), ("nano", .nanoseconds), ("us", .microseconds), ("bytes", .bytes), ("packets", .packets),
      ("segments", .segments),
    ]
    for (subject, column) in Self.all {
      let words = column.name.split(separator: "_").map(String.init)
      for (word, unit) in units where words.contains(word) {
        #expect(column.unit == unit, "\(subject): \(column.name)")
      }
    }
    #expect(Self.all.allSatisfy { $0.1.clock == nil || $0.1.unit == .nanoseconds || $0.1.type == .time })
  }

  @Test func defaultsComeFirst() {
    #expect(Column.allCases.filter(\.isDefault) == Column.defaults)
    #expect(Column.allCases.prefix(Column.defaults.count).elementsEqual(Column.defaults))
  }

  @Test func wordsAreTheEnumerations() {
    #expect(Column.role.values == ["client", "server", "listener", "unknown"])
    #expect(Column.stateOld.values == TCPState.all.map { $0.name(.openTelemetry) })
    #expect(Column.reason.values == Reason.allCases.map(\.name.description))
    #expect(Column.resetReason.values == ResetReason.allCases.map(\.name.description))
    #expect(Column.closer.values == ["active", "passive", "both"])
    #expect(Column.source.values == ["event", "snapshot", "derived"])
    #expect(Column.durationKind.values == ["exact", "at_least"])
    #expect(Column.rtt.values.isEmpty)
  }

  // MARK: - Written and read

  /// Values of the type that are written as they are read.
  private static func samples(_ column: Column) -> [String] {
    switch column.type {
    case .time: ["1970-01-01T00:00:00.000000001Z", "2026-11-23T21:12:03.204131000Z"]
    case .integer(let range): [range.lowerBound, 1_234, range.upperBound].map(String.init)
    case .wideInteger:
      ["1", "1795468323204131000", String(column.clock == .realtime ? UInt64(Int64.max) : UInt64.max)]
    case .identifier: ["0000000000000001", "00000000000a3f11", "ffffffffffffffff"]
    case .hexadecimal: ["1", "ffff88810a2b3c40"]
    case .word: column.values
    case .state: column.values + ["unknown_14"]
    case .name, .text: ["nginx", "nginx: worker 1", "\"a,b\"\"c\"", "日本"]
    case .address: ["10.0.0.5", "2001:db8::1"]
    case .endpoint, .flag, .holders: []
    }
  }

  /// Columns without which a value means nothing.
  private static func companions(_ column: Column, _ sample: String) -> [(Column, String)] {
    switch column {
    case .durationKind: [(.stateDuration, "5")]
    case .networkType: [(.localAddress, sample == "ipv4" ? "10.0.0.5" : "2001:db8::1")]
    default: []
    }
  }

  private static func read(_ text: String) throws -> Transition {
    var reader = TransitionReader()
    var row = Transition()
    var isAdded = false
    while true {
      switch try reader.next(&row) {
      case .row: return row
      case .end: throw TestFailure("no row in \(text)")
      case .needsBytes:
        _ = reader.append { room in
          defer { isAdded = true }
          if !isAdded { room.copyBytes(from: text.utf8) }
          return isAdded ? 0 : text.utf8.count
        }
      }
    }
  }

  @Test(arguments: Column.allCases) func roundTrip(_ column: Column) throws {
    let samples = Self.samples(column)
    #expect(!samples.isEmpty)
    for sample in samples {
      var cells = Self.companions(column, sample) + [(column, sample)]
      // A header needs a state.
      if column != .stateNew { cells.append((.stateNew, "established")) }
      var csv = CSVWriter(columns: cells.map(\.0))
      var json = JSONLinesWriter(columns: cells.map(\.0))
      var header = ByteBuffer()
      csv.appendHeader(to: &header)
      let text = header.text + cells.map(\.1).joined(separator: ",") + "\n"
      let row = try Self.read(text)
      var written = ByteBuffer()
      csv.append(row, to: &written)
      #expect(header.text + written.text == text)
      var object = ByteBuffer()
      json.append(row, to: &object)
      var again = ByteBuffer()
      csv.append(try Self.read(object.text), to: &again)
      #expect(again.text == written.text, "\(object.text)")
      try checkJSONType(column, object.text)
    }
  }

  private func checkJSONType(_ column: Column, _ object: String) throws {
    let members = try #require(JSONSerialization.jsonObject(with: Data(object.utf8)) as? [String: Any])
    let value = try #require(members[column.jsonName], "\(column) is unknown: \(object)")
    if case .integer = column.type { #expect(value is NSNumber) } else { #expect(value is String) }
  }

  /// Blank rows have no value for a column, or one that is its default.
  @Test(arguments: Column.allCases) func unknownIsEmpty(_ column: Column) throws {
    var csv = CSVWriter(columns: [column])
    var buffer = ByteBuffer()
    csv.append(Transition(), to: &buffer)
    var json = JSONLinesWriter(columns: [column])
    var object = ByteBuffer()
    json.append(Transition(), to: &object)
    #expect((buffer.text == "\n") == (object.text == "{}\n"))
    #expect(!object.text.contains("\"\"") && !object.text.contains("null"))
  }
}
