// SPDX-License-Identifier: Apache-2.0
import Foundation
import TCPStateCore
import TCPStateReport
import TestSupport
import Testing

/// Hostile and random names survive every format.
@Suite struct NameTextTests {
  private static let names: [[UInt8]] = {
    var random = SeededGenerator(seed: 4)
    let alphabet = Array("\",\\\n\r\u{1b}\u{7f}é".utf8) + [0xe2, 0x80, 0xae, 0xf0, 0x9f]
    let made = (0..<20_000).map { _ -> [UInt8] in
      (0..<Int.random(in: 1...16, using: &random)).map { _ in
        Bool.random(using: &random)
          ? UInt8.random(in: 1...255, using: &random) : alphabet.randomElement(using: &random) ?? 1
      }
    }
    return made + SampleTransitions.nastyNames
  }()

  private static func row(_ name: [UInt8]) -> Transition {
    var row = SampleTransitions.client()
    row.ownerName = ShortName(bytes: name)
    return row
  }

  @Test func csv() {
    var plain = CSVWriter(columns: [.processName])
    var safe = CSVWriter(columns: [.processName], style: CSVStyle(excelSafe: true))
    for name in Self.names {
      // The standard library replaces ill-formed bytes as the Unicode standard recommends.
      let expected = String(decoding: name, as: UTF8.self)
      var buffer = ByteBuffer()
      plain.append(Self.row(name), to: &buffer)
      #expect(Self.readCSV(buffer.text) == expected)
      buffer.removeAll()
      safe.append(Self.row(name), to: &buffer)
      let guarded = [61, 43, 45, 64, 9, 13].contains(name[0]) ? "'" + expected : expected
      #expect(Self.readCSV(buffer.text) == guarded)
    }
  }

  @Test func json() throws {
    var writer = JSONLinesWriter(columns: [.processName])
    for name in Self.names {
      var buffer = ByteBuffer()
      writer.append(Self.row(name), to: &buffer)
      let object = try JSONSerialization.jsonObject(with: buffer.withBytes { Data($0) })
      let dictionary = try #require(object as? [String: String])
      #expect(
        dictionary["process.executable.name"]?.unicodeScalars.elementsEqual(
          String(decoding: name, as: UTF8.self).unicodeScalars) == true)
    }
  }

  @Test func nullText() {
    var writer = CSVWriter(columns: [.processName, .actorName], style: CSVStyle(nullText: "NA"))
    var buffer = ByteBuffer()
    writer.append(Self.row(Array("NA".utf8)), to: &buffer)
    #expect(buffer.text == "\"NA\",NA\n")
    var odd = CSVWriter(columns: [.actorName, .role], style: CSVStyle(nullText: "a,\"b"))
    buffer.removeAll()
    odd.append(Self.row([65]), to: &buffer)
    #expect(buffer.text == "\"a,\"\"b\",client\n")
  }

  @Test(arguments: [
    ("\u{1b}[2Jgone", "\\x1b[2Jgone", 11), ("rtl\u{202e}cod", "rtl\\u202ecod", 12),
    ("c1\u{9b}2J", "c1\\u009b2J", 10), ("日本", "日本", 4), ("é", "é", 1), ("e\u{301}", "e\u{301}", 1),
  ])
  func visible(_ name: String, _ text: String, _ width: Int) {
    var buffer = ByteBuffer()
    #expect(NameText.append(visible: ShortName(name), to: &buffer) == width)
    #expect(buffer.text == text)
  }

  @Test func invalidBytes() {
    #expect(NameText.visibleString(ShortName(bytes: [0x62, 0xff, 0xc3, 0x28])) == "b\\xff\\xc3(")
  }

  @Test func noColumns() {
    var csv = CSVWriter(columns: [])
    var json = JSONLinesWriter(columns: [.actorName])
    var buffer = ByteBuffer()
    csv.append(Self.row([65]), to: &buffer)
    json.append(Self.row([65]), to: &buffer)
    #expect(buffer.text == "\n{}\n")
  }

  /// Reads one cell and its line end as in RFC 4180.
  private static func readCSV(_ text: String) -> String? {
    var scalars = Array(text.unicodeScalars)
    guard scalars.popLast() == "\n" else { return nil }
    guard scalars.first == "\"" else {
      let needsQuotes = scalars.contains { $0 == "," || $0 == "\"" || $0 == "\n" || $0 == "\r" }
      return needsQuotes ? nil : String(String.UnicodeScalarView(scalars))
    }
    guard scalars.count >= 2, scalars.removeLast() == "\"" else { return nil }
    var result = String.UnicodeScalarView()
    var index = 1
    while index < scalars.count {
      if scalars[index] == "\"" {
        index += 1
        guard index < scalars.count, scalars[index] == "\"" else { return nil }
      }
      result.append(scalars[index])
      index += 1
    }
    return String(result)
  }
}
