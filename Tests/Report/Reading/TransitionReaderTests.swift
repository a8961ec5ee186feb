// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TCPStateReport
import TestSupport
import Testing

@Suite struct TransitionReaderTests {
  /// Reads text in pieces of `piece` bytes.
  private static func read(
    _ text: some StringProtocol, piece: Int = 1 << 16, nullText: String = ""
  ) throws(RecordingError) -> (rows: [Transition], wasCut: Bool) {
    var reader = TransitionReader(nullText: nullText, capacity: 4_096)
    let bytes = Array(text.utf8)
    var offset = 0
    var rows: [Transition] = []
    var row = Transition()
    while true {
      switch try reader.next(&row) {
      case .row: rows.append(row)
      case .end: return (rows, reader.wasCut)
      case .needsBytes:
        _ = reader.append { (room: UnsafeMutableRawBufferPointer) -> Int in
          let count = min(piece, room.count, bytes.count - offset)
          room.copyBytes(from: bytes[offset..<offset + count])
          offset += count
          return count
        }
      }
    }
  }

  private static func csv(_ rows: [Transition], _ columns: [Column] = Column.allCases) -> String {
    var writer = CSVWriter(columns: columns)
    var buffer = ByteBuffer()
    writer.appendHeader(to: &buffer)
    for row in rows { writer.append(row, to: &buffer) }
    return buffer.text
  }

  /// What was written is read back, and is the same bytes when written again.
  @Test(arguments: [1, 7, 4_096, 1 << 16])
  func roundTrip(piece: Int) throws {
    var random = SeededGenerator(seed: 42)
    let rows = (0..<300).map { _ in RandomTransition.make(&random) }
    let text = Self.csv(rows)
    let back = try Self.read(text, piece: piece)
    #expect(back.rows.count == rows.count)
    #expect(!back.wasCut)
    for (a, b) in zip(rows, back.rows) { #expect(RandomTransition.fields(a) == RandomTransition.fields(b)) }
    #expect(Self.csv(back.rows) == text)
  }

  @Test func samples() throws {
    for sample in SampleTransitions.allCases {
      let text = Self.csv(sample.rows)
      #expect(Self.csv(try Self.read(text).rows) == text, "\(sample)")
    }
  }

  /// After each row, how much of the text has been read: in pieces that end within rows, with an empty line, from the
  /// beginning and again.
  @Test func consumed() throws {
    let rows = SampleTransitions.oneConnection.rows
    let text = Array(Self.csv(rows).replacing("\n", with: "\n\n").utf8)
    let header = try #require(text.firstIndex(of: 10)) + 1
    var reader = TransitionReader(columns: Column.allCases, capacity: 4_096)
    var row = Transition()
    for _ in 0..<2 {
      reader.restart()
      #expect(reader.consumed == 0 && reader.line == 0)
      var offset = header
      var ends: [Int] = []
      reading: while true {
        switch try reader.next(&row) {
        case .row: ends.append(header + Int(reader.consumed))
        case .end: break reading
        case .needsBytes:
          _ = reader.append { (room: UnsafeMutableRawBufferPointer) -> Int in
            let count = min(97, text.count - offset)
            room.copyBytes(from: text[offset..<offset + count])
            offset += count
            return count
          }
        }
      }
      #expect(ends == text.indices.dropFirst(header + 1).filter { text[$0] == 10 && text[$0 - 1] != 10 }.map { $0 + 1 })
      #expect(header + Int(reader.consumed) == text.count && !reader.wasCut)
      #expect(reader.line == UInt64(2 * rows.count + 1))
    }
  }

  private static func jsonLines(_ rows: [Transition]) -> String {
    var writer = JSONLinesWriter(columns: Column.allCases)
    var buffer = ByteBuffer()
    for row in rows { writer.append(row, to: &buffer) }
    return buffer.text
  }

  @Test(arguments: [1, 7, 1 << 16])
  func jsonRoundTrip(piece: Int) throws {
    var random = SeededGenerator(seed: 43)
    let rows = (0..<300).map { _ in RandomTransition.make(&random) }
    let text = Self.jsonLines(rows)
    let back = try Self.read(text, piece: piece).rows
    #expect(back.count == rows.count)
    #expect(Self.jsonLines(back) == text)
    for sample in SampleTransitions.allCases {
      let text = Self.jsonLines(sample.rows)
      #expect(Self.jsonLines(try Self.read(text).rows) == text, "\(sample)")
    }
  }

  /// Spaces, escapes, nulls, CSV names as keys and foreign keys, as jq or DuckDB write them, are read.
  @Test func foreignJSON() throws {
    let text = """
      { "state_old" : "ESTABLISHED", "network.connection.state": "close_wait", "process.pid": "17",\
       "process.executable.name": "\\u0061\\ud83d\\ude00\\t\\"", "host": {"a": ["}", 1]}, "tcp.reason": null }

      """
    let back = try Self.read(text + "\n").rows
    #expect(back.count == 1)
    #expect(back[0].old == .established && back[0].new == .closeWait)
    #expect(back[0].ownerPID == 17 && back[0].ownerName.description == "a😀\t\"" && back[0].reason == nil)
  }

  private static func name(_ string: String) throws(RecordingError) -> String? {
    try read("{\"process.executable.name\":\"\(string)\"}\n").rows.first?.ownerName.description
  }

  /// Each escape of RFC 8259, and the ends of what two \\u escapes can mean together.
  @Test(arguments: [
    (#"\"\\\/"#, "\"\\/"), (#"a\b\f\n\r\tz"#, "a\u{8}\u{c}\n\r\tz"), (#"\u0041\u00e9\u20AC"#, "Aé€"),
    (#"\ud7ff\ue000"#, "\u{d7ff}\u{e000}"), (#"\ud800\udc00"#, "\u{10000}"), (#"\udbff\udfff"#, "\u{10ffff}"),
    (#"\ud83d\ude00!"#, "😀!"), ("", ""), ("é", "é"),
  ])
  func escapes(_ string: String, _ name: String) throws {
    #expect(try Self.name(string) == name)
  }

  @Test(arguments: [
    #"\ud83d"#, #"\ud83dx"#, #"\ud83d\n"#, #"\ud83d\ud83d"#, #"\ud83d\ue000"#, #"\udbff\udbff"#, #"\ude00"#, #"\u12"#,
    #"\u+123"#, #"\u-123"#, #"\u12g4"#, #"\x41"#, #"\"#, #"a" "b"#,
  ])
  func noEscapes(_ string: String) {
    #expect(throws: RecordingError.self) { try Self.name(string) }
  }

  /// White space of RFC 8259 anywhere between tokens; values that aren't ours, of every kind, are passed over.
  @Test(arguments: [
    "\t{\"process.pid\":17}", "{\t\"process.pid\"\t:\t17\t}\t", "{\r\"process.pid\" :\r 17\r}\r",
    "{\"a\":true,\"b\":false,\"c\":null,\"d\":-1.5e+3,\"process.pid\":17}",
    "{\"a\":{\"b\":\"}\\\"]\",\"c\":[{},[]]},\"process.pid\":17}", "{\"process.pid\":17,\"a\":[]}",
    "{\"process.pid\":17,\"process.executable.name\":null}",
  ])
  func spacesAndForeignValues(_ line: String) throws {
    for text in [line + "\n", line + "\n\n \r\n"] {
      let rows = try Self.read("{\"process.pid\":1}\n" + text).rows
      #expect(rows.map(\.ownerPID) == [1, 17], "\(line)")
    }
  }

  @Test(arguments: [
    "{\"process.pid\":17", "{\"process.pid\":17,}", "{\"process.pid\" 17}", "{\"process.pid\":17 \"a\":1}",
    "{process.pid:17}",
    "{\"process.pid\":17}}", "{\"process.pid\":\"17}", "{\"process.pid\":[17}", "{\"process.pid\":{\"a\":\"}", "[17]",
    "17", "{",
    "{\"process.pid\":'17'}", "{\"process.pid\":}",
  ])
  func notAnObject(_ line: String) {
    #expect(throws: RecordingError(line: 2, "is not a JSON object of strings and numbers: '\(line)'")) {
      try Self.read("{\"process.pid\":1}\n\(line)\n")
    }
  }

  /// The number of cells shows the columns of a recording that was written with `--no-header`.
  @Test func noHeader() throws {
    let rows = SampleTransitions.oneConnection.rows
    // Also all columns of the first recordings.
    for columns in [Column.defaults, Column.allCases, Array(Column.allCases.prefix(47))] {
      let text = Self.csv(rows, columns)
      let bare = text[text.index(after: text.firstIndex(of: "\n") ?? text.startIndex)...]
      #expect(Self.csv(try Self.read(bare).rows, columns) == text)
    }
  }

  /// Any columns in any order are read; those that are missing are unknown.
  @Test func someColumns() throws {
    let rows = SampleTransitions.oneConnection.rows
    let columns: [Column] = [.stateNew, .durationKind, .stateDuration, .connectionID, .timestamp]
    let back = try Self.read(Self.csv(rows, columns)).rows
    #expect(back.map(\.new) == rows.map(\.new))
    #expect(back.map(\.stay) == rows.map(\.stay))
    #expect(back.map(\.time) == rows.map(\.time), "from RFC 3339")
    #expect(back.allSatisfy { $0.bytesSent == nil && $0.ownerPID == nil })
  }

  /// Three columns are enough to be one of our headers, even without states.
  @Test func threeColumns() throws {
    let back = try Self.read("process_pid,netns,retransmits\n1,2,3\n").rows
    #expect(back.map(\.ownerPID) == [1] && back.map(\.retransmits) == [3])
  }

  /// The columns of JSON Lines are the keys that came, each once, whichever of its names was used.
  @Test func columnsOfJSON() throws {
    let text = Array("{\"process_pid\":1,\"netns\":2}\n{\"process.pid\":3,\"retransmits\":4}\n".utf8)
    var reader = TransitionReader()
    _ = reader.append { (room: UnsafeMutableRawBufferPointer) -> Int in
      room.copyBytes(from: text)
      return text.count
    }
    var row = Transition()
    _ = try reader.next(&row)
    let first = reader.columns
    #expect(row.ownerPID == 1 && first == [.processPID, .netns])
    _ = try reader.next(&row)
    let both = reader.columns
    #expect(row.ownerPID == 3 && both == [.processPID, .netns, .retransmits])
  }

  /// A quote that isn't closed makes one row of all that follows; a megabyte of that is too much.
  @Test func unclosedQuote() throws {
    func text(_ bytes: Int) -> String {
      let start = "closed,\""
      return "state_new,process_name\n" + start + String(repeating: "a", count: bytes - start.utf8.count)
    }
    let cut = try Self.read(text(1 << 20 - 1))
    #expect(cut.rows.isEmpty && cut.wasCut)
    #expect(throws: RecordingError(line: 2, "has no end within a megabyte: a quote isn't closed")) {
      try Self.read(text(1 << 20))
    }
  }

  @Test func foreignColumnsAndLineEnds() throws {
    let text = "host,state_old,\"state_new\",note\r\nweb-1,ESTAB,close-wait,\"a,\"\"b\"\"\n\"\r\nweb-2,,TIME_WAIT,\r\n"
    let back = try Self.read(text).rows
    #expect(back.map(\.new) == [.closeWait, .timeWait])
    #expect(back[0].old == .established)
  }

  @Test func nulls() throws {
    let text = "state_new,process_pid,process_name,rtt_us\nclosed,-,-,-\nclosed,\\N,NA,NULL\n"
    let back = try Self.read(text, nullText: "-").rows
    #expect(back.allSatisfy { $0.ownerPID == nil && $0.rttMicroseconds == nil })
    #expect(back[0].ownerName.isEmpty)
    #expect(back[1].ownerName == ShortName("NA"))
  }

  /// Each prefix of a recording gives its whole rows, and reports whether one was cut.
  @Test func cut() throws {
    let rows = SampleTransitions.hostileNames.rows
    let text = Array(Self.csv(rows).utf8)
    let header = try #require(text.firstIndex(of: 10)) + 1
    for end in stride(from: header, through: text.count, by: 13) {
      let back = try Self.read(String(decoding: text[..<end], as: UTF8.self))
      let whole = (0...rows.count).last { Self.csv(Array(rows.prefix($0))).utf8.count <= end } ?? 0
      #expect(back.rows.count == whole)
      #expect(back.wasCut == (Self.csv(Array(rows.prefix(whole))).utf8.count != end))
    }
  }

  @Test(arguments: [
    (
      "time,size\n1,2\n", 1,
      "is not the first line of a recording by tcpstate-trace (csv, jsonl) or tcpstates: 'time,size'"
    ),
    (
      "process_pid,netns\n1,2\n", 1,
      "is not the first line of a recording by tcpstate-trace (csv, jsonl) or tcpstates: 'process_pid,netns'"
    ),
    ("state_new,state_new\n", 1, "has the column state_new twice"),
    ("state_new,rtt_us\nclosed,1\nclosed,x1\n", 3, "rtt_us: 'x1' is not a number"),
    ("state_new,rtt_us\nclosed,4294967296\n", 2, "rtt_us: '4294967296' is not a number"),
    ("state_new,rtt_us\n\"two\nlines\",1\n", 2, "state_new: 'two\\xalines' is not a state"),
    ("state_new,rtt_us\nclosed\n", 2, "has 1 cell, the header has 2"),
    ("state_new,rtt_us,netns\nclosed,x\n", 2, "has 2 cells, the header has 3"),
    ("state_new,rtt_us\nclosed,1,2\n", 2, "has more cells than the header's 2"),
    ("state_new,local_address\nclosed,1.2.3.400\n", 2, "local_address: '1.2.3.400' is not an IP address"),
    (
      "state_new,timestamp\nclosed,9999-01-01T00:00:00Z\n", 2,
      "timestamp: '9999-01-01T00:00:00Z' is not a time such as 2026-11-23T21:12:03.204131000Z"
    ),
    ("state_new,timestamp_unix_nano\nclosed,9223372036854775808\n", 2, "has a time after the year 2262"),
    (
      "state_new,timestamp\nclosed,2026-02-30T00:00:00Z\n", 2,
      "timestamp: '2026-02-30T00:00:00Z' is not a time such as 2026-11-23T21:12:03.204131000Z"
    ),
    ("{\"process.pid\":1}\n{\"process.pid\":-1}\n", 2, "process_pid: '-1' is not a number"),
    ("{\"process.pid\":1}\n{\"a\":}\n", 2, "is not a JSON object of strings and numbers: '{\"a\":}'"),
    (
      "{\"process.pid\":1}\n{\"process.pid\":1} x\n", 2,
      "is not a JSON object of strings and numbers: '{\"process.pid\":1} x'"
    ),
    ("{\"process.pid\":1}\n{}\n", 2, "is a JSON object without any key of a recording: '{}'"),
    ("{\"a\":1}\n", 1, "is a JSON object without any key of a recording: '{\"a\":1}'"),
  ])
  func errors(_ text: String, _ line: Int, _ what: String) {
    #expect(throws: RecordingError(line: UInt64(line), what)) { try Self.read(text) }
  }

  /// Bytes that aren't a recording give an error or no row, and never crash.
  @Test(arguments: 0..<30 as Range<UInt64>)
  func hostileBytes(_ seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var text = Array(Self.csv(SampleTransitions.hostileNames.rows).utf8)
    for _ in 0..<40 {
      text[Int.random(in: 800..<text.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
    }
    var json = Array(Self.jsonLines(SampleTransitions.hostileNames.rows).utf8)
    for _ in 0..<40 {
      json[Int.random(in: 1..<json.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
    }
    for bytes in [text, json] {
      do throws(RecordingError) {
        _ = try Self.read(String(decoding: bytes, as: UTF8.self), piece: 97)
      } catch {
        #expect(error.line > 0 && !error.what.isEmpty)
      }
    }
  }
}
