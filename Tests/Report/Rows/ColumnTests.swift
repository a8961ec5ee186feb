// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TCPStateReport
import TestSupport
import Testing

@Suite struct ColumnTests {
  @Test func lists() throws {
    #expect(try Column.parse("default") == Column.defaults)
    #expect(try Column.parse("all") == Column.allCases)
    #expect(try Column.parse("state_new, TIMESTAMP") == [.stateNew, .timestamp])
    #expect(try Column.parse("network.peer.port") == [.peerPort])
    #expect(try Column.parse("default,closer") == Column.defaults + [.closer])
    #expect(Column.defaults.count == 27)
    #expect(Column.allCases.count == 58)
  }

  @Test(arguments: [
    ("stat_new", Column.stateNew), ("pid", .processPID), ("local-port", .localPort),
    ("duration", .stateDuration), ("timestmap", .timestamp), ("rtt", .rtt), ("recieve_next", .receiveNext),
  ])
  func nearest(_ name: String, _ column: Column) {
    #expect(throws: ColumnListError<Column>.unknown(name: name, nearest: column)) { try Column.parse(name) }
  }

  @Test func errors() {
    #expect(throws: ColumnListError<Column>.unknown(name: "xyzzyplugh", nearest: nil)) {
      try Column.parse("role,xyzzyplugh")
    }
    #expect(throws: ColumnListError<Column>.repeated(.role)) { try Column.parse("role,role") }
    #expect(throws: ColumnListError<Column>.repeated(.role)) { try Column.parse("default,role") }
    #expect(throws: ColumnListError<Column>.empty) { try Column.parse("") }
    #expect(throws: ColumnListError<Column>.empty) { try Column.parse("role,") }
    #expect(
      ColumnListError<Column>.unknown(name: "pid", nearest: .processPID).description
        == "no column 'pid'; did you mean 'process_pid'?")
  }

  @Test func names() {
    for column in Column.allCases {
      #expect(Column(csvName: column.csvName.description) == column)
      #expect(Column(jsonName: column.jsonName) == column)
    }
    #expect(Set(Column.allCases.map(\.jsonName)).count == Column.allCases.count)
  }

  /// The unrolled writer of the default columns writes the same as the general one.
  @Test(arguments: SampleTransitions.allCases)
  func unrolled(_ sample: SampleTransitions) {
    var fast = CSVWriter()
    var backwards = CSVWriter(columns: Column.defaults.reversed())
    for row in sample.rows {
      var a = ByteBuffer()
      var b = ByteBuffer()
      fast.append(row, to: &a)
      backwards.append(row, to: &b)
      // A name with a comma or a line end would be split.
      guard row.ownerName.bytes.allSatisfy({ $0 > 32 && $0 < 127 && $0 != 44 && $0 != 34 }) else { continue }
      let cells = a.text.dropLast().split(separator: ",", omittingEmptySubsequences: false)
      let reversed = b.text.dropLast().split(separator: ",", omittingEmptySubsequences: false)
      #expect(cells.count == 27)
      #expect(cells == reversed.reversed())
    }
  }

  /// Cells that are kept from row to row are reused only for the same process with the same facts, and the same ends.
  @Test func keptCells() {
    var random = SeededGenerator(seed: 7)
    func any<T>(_ values: T...) -> T { values[Int.random(in: 0..<values.count, using: &random)] }
    var fast = CSVWriter()
    var backwards = CSVWriter(columns: Column.defaults.reversed())
    for _ in 0..<20_000 {
      var row = Transition()
      row.ownerPID = any(nil, 0, 1, 65, 4_294_967_295)
      row.ownerName = ShortName(any("", "a", "nginx: worker 12", "b b"))
      row.userID = any(nil, 0, 4_294_967_295)
      row.cgroup = any(nil, 1, .max)
      row.netns = any(nil, 4_026_531_840)
      row.actorPID = any(nil, row.ownerPID, 1, 65)
      row.actorName = ShortName(any("", "a", "nginx: worker 12"))
      let long = IPAddress(high: .max, low: .max)
      row.local.address = any(IPAddress(high: 0x2001_0db8 << 32, low: 1), IPAddress(v4: 0x7f00_0001), long)
      row.peer.address = any(row.local.address, IPAddress(v4: 0xffff_ffff), .unspecified)
      // Some of these pairs share a slot.
      row.local.port = any(0, 1, 65, 65_535)
      row.peer.port = any(0, 64, 65_535)
      var a = ByteBuffer()
      var b = ByteBuffer()
      fast.append(row, to: &a)
      backwards.append(row, to: &b)
      let cells = a.text.dropLast().split(separator: ",", omittingEmptySubsequences: false)
      let reversed = b.text.dropLast().split(separator: ",", omittingEmptySubsequences: false)
      #expect(cells == reversed.reversed())
    }
  }
}
