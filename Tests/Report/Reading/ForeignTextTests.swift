// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TCPStateReport
import TestSupport
import Testing

/// What spreadsheets, shells and pandas make of a recording reads like the recording itself, in pieces of any size.
@Suite struct ForeignTextTests {
  private static let rows = SampleTransitions.oneConnection.rows

  private static func read(_ bytes: [UInt8], piece: Int) throws -> (rows: [String], wasCut: Bool) {
    var reader = TransitionReader(capacity: 4_096)
    var csv = CSVWriter(columns: Column.allCases)
    var rows: [String] = []
    var row = Transition()
    var rest = bytes[...]
    while true {
      switch try reader.next(&row) {
      case .row:
        var buffer = ByteBuffer(capacity: 1_024)
        withUnsafePointer(to: &row) { csv.append($0, to: &buffer) }
        rows.append(buffer.text)
      case .end: return (rows, reader.wasCut)
      case .needsBytes:
        _ = reader.append { (room: UnsafeMutableRawBufferPointer) -> Int in
          let next = rest.prefix(min(piece, room.count))
          room.copyBytes(from: next)
          rest = rest.dropFirst(next.count)
          return next.count
        }
      }
    }
  }

  private static func written() -> (csv: String, objects: [String]) {
    var csv = CSVWriter(columns: Column.allCases)
    var json = JSONLinesWriter(columns: Column.allCases)
    var text = ByteBuffer(capacity: 4_096)
    var objects = ByteBuffer(capacity: 4_096)
    csv.appendHeader(to: &text)
    for row in rows {
      var row = row
      withUnsafePointer(to: &row) {
        csv.append($0, to: &text)
        json.append($0, to: &objects)
      }
    }
    return (text.text, objects.text.split(separator: "\n").map(String.init))
  }

  private static func separated(_ csv: String, by separator: String, isQuoted: Bool = false) -> String {
    csv.split(separator: "\n").map { line in
      line.split(separator: ",", omittingEmptySubsequences: false)
        .map { isQuoted ? "\"\($0)\"" : String($0) }.joined(separator: separator)
    }.joined(separator: "\n") + "\n"
  }

  private static func utf16(_ text: String, lowFirst: Bool, mark: Bool = true) -> [UInt8] {
    ((mark ? [0xfeff] : []) + Array(text.utf16)).flatMap { unit in
      let bytes = [UInt8(unit >> 8), UInt8(unit & 255)]
      return lowFirst ? bytes.reversed() : bytes
    }
  }

  private static func variants() -> [(name: String, bytes: [UInt8])] {
    let (csv, objects) = written()
    let array = "[" + objects.joined(separator: ",") + "]"
    let pretty = "[\n" + objects.map { $0.replacing("\",\"", with: "\",\n  \"") }.joined(separator: ",\n") + "\n]\n"
    let apart = objects.map { $0.replacing("{", with: "{\n").replacing("}", with: "\n}") }.joined(separator: "\n")
    return [
      ("CSV", Array(csv.utf8)), ("tabs", Array(separated(csv, by: "\t").utf8)),
      ("semicolons", Array(separated(csv, by: ";").utf8)),
      ("quoted semicolons", Array(separated(csv, by: ";", isQuoted: true).utf8)),
      ("UTF-16, low byte first", utf16(csv, lowFirst: true)), ("UTF-16, high byte first", utf16(csv, lowFirst: false)),
      ("UTF-16 without a mark", utf16(csv, lowFirst: true, mark: false)),
      ("UTF-16 without a mark, high byte first", utf16(csv, lowFirst: false, mark: false)),
      ("UTF-8 with a mark", [0xef, 0xbb, 0xbf] + Array(csv.utf8)),
      ("every space between objects", Array(("[\t" + objects.joined(separator: "\t,\r\n ") + "\t]\r\n").utf8)),
      ("UTF-16 with tabs and CR LF", utf16(separated(csv, by: "\t").replacing("\n", with: "\r\n"), lowFirst: true)),
      ("JSON Lines", Array((objects.joined(separator: "\n") + "\n").utf8)), ("a JSON array", Array(array.utf8)),
      ("a JSON array over many lines", Array(pretty.utf8)), ("objects over many lines", Array(apart.utf8)),
      ("a JSON array in UTF-16", utf16(array, lowFirst: true)),
    ]
  }

  @Test(arguments: [1, 2, 3, 7, 1_000, 1 << 20])
  func readsLikeOurs(_ piece: Int) throws {
    let expected = try Self.read(Array(Self.written().csv.utf8), piece: 1 << 20).rows
    try #require(expected.count == Self.rows.count)
    for (name, bytes) in Self.variants() {
      let (rows, wasCut) = try Self.read(bytes, piece: piece)
      #expect(rows == expected, "\(name)")
      #expect(!wasCut, "\(name)")
    }
  }

  /// Characters beyond 16 bits are two units; half of one isn't a character.
  @Test(
    arguments: [
      ([0x61, 0xd83d, 0xde00, 0x62] as [UInt16], "a😀b"), ([0xd800, 0xdc00], "\u{10000}"),
      ([0xdbff, 0xdfff], "\u{10ffff}"),
      ([0xd7ff, 0xe000], "\u{d7ff}\u{e000}"), ([0xe9, 0x20ac], "é€"), ([0x61, 0xfeff, 0x62], "ab"),
      ([0xd83d, 0x78], "\u{fffd}x"), ([0xde00, 0x78], "\u{fffd}x"), ([0xd83d, 0xd83d, 0xde00], "\u{fffd}😀"),
      ([0xdbff, 0xe000], "\u{fffd}\u{e000}"),
    ], [true, false])
  func unitsOfUTF16(_ name: (units: [UInt16], text: String), _ lowFirst: Bool) throws {
    let units = [0xfeff] + Array("state_new,process_name\nclosed,".utf16) + name.units + [0x0a]
    let bytes = units.flatMap { unit in
      let bytes = [UInt8(unit >> 8), UInt8(unit & 255)]
      return lowFirst ? bytes.reversed() : bytes
    }
    let plain = Array("state_new,process_name\nclosed,\(name.text)\n".utf8)
    for piece in [1, 3, 1_000] {
      #expect(try Self.read(bytes, piece: piece).rows == Self.read(plain, piece: 1_000).rows)
    }
  }

  /// A column of numbers of which some are unknown is one of floating-point numbers in pandas.
  @Test func wholeNumbersWithAFraction() throws {
    let header = "process_pid,local_port,peer_port,state_old,state_new,state_duration_ns,bytes_sent,connection_id\n"
    let plain = try Self.read(Array((header + "73785,443,80,established,close_wait,1200,5,a1\n").utf8), piece: 100)
    let floats = "73785.0,443.0,80.00,established,close_wait,1200.0,5.0,a1\n"
    #expect(try Self.read(Array((header + floats).utf8), piece: 100).rows == plain.rows)
    #expect(try Self.read(Array(("," + header + "0," + floats).utf8), piece: 100).rows == plain.rows, "an index column")
    let missing = try Self.read(Array((header + "NaN,443.0,80.0,established,close_wait,nan,,a1\n").utf8), piece: 100)
    #expect(missing.rows.count == 1)
    for wrong in ["73785.5", "73785.", ".0", "7e4"] {
      #expect(throws: RecordingError.self) {
        try Self.read(Array((header + "\(wrong),443,80,established,close_wait,1,1,a1\n").utf8), piece: 100)
      }
    }
  }

  @Test func decimalCommas() throws {
    let header = "SKADDR;C-PID;C-COMM;LADDR;LPORT;RADDR;RPORT;OLDSTATE;NEWSTATE;MS\n"
    let row = "ffff8881a0010000;17;a,b;10.0.0.1;4000;10.0.0.2;443;SYN_SENT;ESTABLISHED;2,101\n"
    let plain = header.replacing(";", with: ",") + row.replacing("2,101", with: "2.101").replacing(";", with: ",")
    #expect(
      try Self.read(Array((header + row).utf8), piece: 3).rows == Self.read(Array(plain.utf8), piece: 3).rows)
  }

  /// What stands in a string ends neither the object nor the array.
  @Test(arguments: [1, 5, 1_000])
  func bracketsAndQuotesInStrings(_ piece: Int) throws {
    let objects = ["a\"b", "]}", "{[", "\\", "\\\"", "\",\"", "}\\", "\t\n"].map { name in
      var json = JSONLinesWriter(columns: [.stateNew, .processName])
      var buffer = ByteBuffer()
      var row = Transition()
      (row.new, row.ownerName) = (.closed, ShortName(name))
      withUnsafePointer(to: &row) { json.append($0, to: &buffer) }
      return buffer.text.split(separator: "\n").joined()
    }
    let lines = try Self.read(Array((objects.joined(separator: "\n") + "\n").utf8), piece: 1_000)
    let array = try Self.read(Array("[\(objects.joined(separator: ","))]".utf8), piece: piece)
    #expect(lines.rows.count == objects.count && !array.wasCut)
    #expect(array.rows == lines.rows)
  }

  @Test func cutArrays() throws {
    let array = "[" + Self.written().objects.joined(separator: ",") + "]"
    let (rows, wasCut) = try Self.read(Array(array.utf8.dropLast()), piece: 100)
    #expect(wasCut && rows.count == Self.rows.count, "all objects are there, but the array has no end")
    #expect(try Self.read(Array(array.utf8.dropLast(9)), piece: 100).wasCut)
    #expect(throws: RecordingError.self) { try Self.read(Array("[1, 2]".utf8), piece: 100) }
    #expect(throws: RecordingError.self) { try Self.read(Array("[{\"a\": 1}]".utf8), piece: 100) }
  }
}
