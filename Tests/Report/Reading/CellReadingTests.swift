// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TCPStateReport
import TestSupport
import Testing

/// Plain rows take another path than unusual ones; both must give the same transitions.
@Suite struct CellReadingTests {
  private static func read(_ text: String) throws(RecordingError) -> [Transition] {
    var reader = TransitionReader(capacity: 4_096)
    var bytes = Array(text.utf8)[...]
    var rows: [Transition] = []
    var row = Transition()
    while true {
      switch try reader.next(&row) {
      case .row: rows.append(row)
      case .end: return rows
      case .needsBytes:
        _ = reader.append { (room: UnsafeMutableRawBufferPointer) -> Int in
          let count = min(room.count, bytes.count)
          room.copyBytes(from: bytes.prefix(count))
          bytes = bytes.dropFirst(count)
          return count
        }
      }
    }
  }

  /// Rows of many lengths without quotes.
  private static func plainLines() -> [String] {
    var random = SeededGenerator(seed: 77)
    var writer = CSVWriter(columns: Column.allCases)
    var buffer = ByteBuffer()
    writer.appendHeader(to: &buffer)
    for _ in 0..<2_000 {
      var row = RandomTransition.make(&random)
      row.ownerName = ShortName(String("abcdefghijklmnop".prefix(.random(in: 0...16, using: &random))))
      row.actorName = ShortName(String("räksmörgås".prefix(.random(in: 0...10, using: &random))))
      row.congestionControl = ShortName("cubic")
      row.workload = Workload()
      writer.append(row, to: &buffer)
    }
    return buffer.text.split(separator: "\n").map(String.init)
  }

  /// Quotes around all cells or the first ones, and other line ends, give the same rows.
  @Test func quotesAndLineEndsChangeNothing() throws {
    let lines = Self.plainLines()
    let plain = try Self.read(lines.joined(separator: "\n") + "\n").map(RandomTransition.fields)
    #expect(plain.count == 2_000)
    func quoted(_ line: String, cells: Int) -> String {
      line.split(separator: ",", omittingEmptySubsequences: false).enumerated()
        .map { $0 < cells ? "\"\($1)\"" : String($1) }.joined(separator: ",")
    }
    for cells in [1, 17, 100] {
      let text = lines.map { quoted($0, cells: cells) }.joined(separator: "\n") + "\n"
      #expect(try Self.read(text).map(RandomTransition.fields) == plain, "\(cells)")
    }
    #expect(try Self.read(lines.joined(separator: "\r\n") + "\r\n").map(RandomTransition.fields) == plain)
  }

  /// A cell too many or too few is found wherever the line ends in the blocks that are scanned at once.
  @Test func wrongNumberOfCells() throws {
    let lines = Self.plainLines()
    for line in lines.dropFirst().prefix(200) {
      let comma = try #require(line.lastIndex(of: ","))
      for wrong in [line + ",", String(line[..<comma])] {
        #expect(throws: RecordingError.self) { try Self.read("\(lines[0])\n\(line)\n\(wrong)\n") }
      }
    }
  }

  private static func bytesSent(_ cell: String) throws(RecordingError) -> UInt64? {
    try read("state_new,bytes_sent,retransmits\nclosed,\(cell),1\n").first?.bytesSent
  }

  /// Numbers of every length up to 64 bits are read, and nothing else is.
  @Test func numbers() throws {
    for count in 1...20 {
      for text in [String(repeating: "1", count: count), "1" + String(repeating: "0", count: count - 1)] {
        #expect(try Self.bytesSent(text) == UInt64(text), "\(text)")
      }
      let nines = String(repeating: "9", count: count)
      if let expected = UInt64(nines) {
        #expect(try Self.bytesSent(nines) == expected)
      } else {
        #expect(throws: RecordingError.self) { try Self.bytesSent(nines) }
      }
      // The neighbours of digits in ASCII, a letter, a byte with the highest bit set.
      for place in 0..<count {
        for wrong in ["/", ":", "a", "-", " ", "é"] {
          var digits = Array(repeating: "5", count: count)
          digits[place] = wrong
          #expect(throws: RecordingError.self, "\(digits)") { try Self.bytesSent(digits.joined()) }
        }
      }
    }
    #expect(try Self.bytesSent("18446744073709551615") == .max)
    #expect(throws: RecordingError.self) { try Self.bytesSent("18446744073709551616") }
    #expect(throws: RecordingError.self) { try Self.bytesSent("100000000000000000000") }
  }

  /// Ids have up to 16 hexadecimal digits, of either case.
  @Test func hexadecimals() throws {
    func id(_ cell: String) throws(RecordingError) -> UInt64? {
      try Self.read("state_new,connection_id,retransmits\nclosed,\(cell),1\n").first?.connection
    }
    for text in [
      "0", "9", "a", "f", "A", "F", "10", "0123456789abcdef", "0123456789ABCDEF", "fedcba9876543210",
      "ffffffffffffffff",
      "123456789abcdef", "abcdefabcdefabcd",
    ] {
      #expect(try id(text) == UInt64(text, radix: 16), "\(text)")
    }
    for count in [1, 2, 8, 9, 15, 16] {
      for place in 0..<count {
        for wrong in ["g", "G", "`", "@", "/", ":", "-", "+", " "] {
          var digits = Array(repeating: "c", count: count)
          digits[place] = wrong
          #expect(throws: RecordingError.self, "\(digits)") { try id(digits.joined()) }
        }
      }
    }
    #expect(throws: RecordingError.self) { try id("00000000000000001") }
  }

  /// A word that differs in one byte from one that is known is another word.
  @Test func everyByteOfAWordCounts() {
    let tables: [(column: String, words: [String])] = [
      (Column.reason.csvName, Reason.allCases.map(\.name.description)),
      (Column.role.csvName, Role.allCases.map(\.name.description)),
      (Column.ownerKind.csvName, OwnerKind.allCases.map(\.name.description)),
      (Column.closer.csvName, Closer.allCases.map(\.name.description)),
      (Column.source.csvName, ["event", "snapshot", "derived"]),
      (Column.timestampKind.csvName, TimeKind.allCases.map(\.name.description)),
    ]
    for (column, words) in tables {
      for word in words {
        #expect(throws: Never.self) { try Self.read("state_new,\(column),retransmits\nclosed,\(word),1\n") }
        for place in word.indices {
          var wrong = word
          wrong.replaceSubrange(place...place, with: "q")
          guard wrong != word else { continue }
          #expect(throws: RecordingError.self, "\(column) \(wrong)") {
            try Self.read("state_new,\(column),retransmits\nclosed,\(wrong),1\n")
          }
        }
      }
    }
  }

  @Test func times() throws {
    func time(_ cell: String) throws(RecordingError) -> UInt64? {
      try Self.read("timestamp,state_old,state_new\n\(cell),listen,closed\n").first?.time
    }
    #expect(try time("1970-01-01T00:00:01Z") == 1_000_000_000)
    #expect(try time("1970-01-02T01:02:03.5Z") == (86_400 + 3_723) * 1_000_000_000 + 500_000_000)
    #expect(try time("1970-01-01T00:00:00.000000001Z") == 1)
    for wrong in [
      "1970-01-01T00:00:01", "1970-01-01T00:00:01.Z", "1970-01-01T00:00:01.0000000001Z", "1970-01-01 00:00:01Z",
      "1970-13-01T00:00:01Z", "1970-01-01T24:00:01Z", "1970-01-01T00:00:1Z", "1970-1-01T00:00:001Z", "Z", "yesterday",
    ] {
      #expect(throws: RecordingError.self, "\(wrong)") { try time(wrong) }
    }
  }

  /// A word longer than 16 bytes isn't taken for one that begins or ends like it.
  @Test func longReason() throws {
    func reason(_ cell: String) throws(RecordingError) -> Reason? {
      try Self.read("state_old,state_new,reason\ntime_wait,closed,\(cell)\n").first?.reason
    }
    for each in Reason.allCases { #expect(try reason(each.name.description) == each) }
    #expect(throws: RecordingError.self) { try reason("0123456789abcdefow") }
  }

  /// A kind without a duration means unknown, not 0.
  @Test func kindAlone() throws {
    let rows = try Self.read("state_new,state_duration_ns,duration_kind\nclosed,,exact\nclosed,0,at_least\n")
    #expect(rows.map(\.stay) == [nil, Stay(nanoseconds: 0, kind: .atLeast)])
  }
}
