// SPDX-License-Identifier: Apache-2.0
import Foundation
import TCPStateCore
import TCPStateReport
import TestSupport
import Testing

@Suite struct TimelineTableTests {
  /// Anywhere else than on a terminal nothing is cut.
  @Test func nothingIsCut() {
    var table = TimelineTable(style: TableStyle(utc: true))
    var buffer = ByteBuffer()
    for row in SampleTransitions.ipv6.rows + SampleTransitions.hostileNames.rows {
      buffer.removeAll()
      table.append(row, to: &buffer)
      if row.peer != .none { #expect(buffer.text.contains(" \(EndpointText.string(row.peer)) ")) }
      #expect(buffer.text.contains(" \(OwnerText.string(of: row)) "))
      #expect(buffer.text.contains("→ \(row.new.name(.rfc))"))
    }
  }

  /// Whatever is shortened, both ends of an address, the port, the process id and the state are there.
  @Test(arguments: [60, 79, 80, 100, 113, 120, 160, 200, 300])
  func whatIsShortened(_ width: Int) {
    var table = TimelineTable(style: TableStyle(width: width, utc: true))
    var buffer = ByteBuffer()
    var row = SampleTransitions.ipv6.rows[1]
    (row.ownerName, row.ownerPID) = (ShortName("a-name-of-15-by"), 4_194_303)
    row.local = row.peer
    table.append(row, to: &buffer)
    #expect(buffer.text.contains("/4194303 ") && buffer.text.contains("→ ESTABLISHED"))
    #expect(buffer.text.contains(":1234]:61234 "))
    // From where on the columns have room for more than the host's part.
    if width >= 120 { #expect(buffer.text.contains(" [2001:")) }
    if width >= 300 { #expect(buffer.text.contains(" \(EndpointText.string(row.peer)) ")) }
  }

  /// No line is wider than the terminal, and the cells stand where the header says.
  @Test func fitsEveryWidth() {
    for width in 60...260 {
      var table = TimelineTable(style: TableStyle(width: width, utc: true))
      var buffer = ByteBuffer()
      table.appendHeader(to: &buffer)
      for sample in SampleTransitions.allCases { for row in sample.rows { table.append(row, to: &buffer) } }
      for line in buffer.text.split(separator: "\n") {
        #expect(DisplayWidth.of(String(line)) <= width, "\(width): \(line)")
      }
    }
  }

  /// A connection that ends other than in order fits too, with all kinds of ports and process names.
  @Test(arguments: [60, 78, 80, 100, 113, 120, 160], Reason.allCases)
  func fitsWhateverHappens(_ width: Int, _ reason: Reason) {
    for (name, pid, peer) in [
      ("curl", 8123, "127.0.0.1"), ("python3", 26115, "192.168.100.200"), ("日本語日本", 4_194_303, "192.168.100.200"),
      ("\u{1b}\u{1b}\u{1b}\u{1b}\u{1b}\u{1b}\u{1b}", 812, "2001:db8:ffff:1234:5678:9abc:def0:1234"),
    ] as [(String, UInt32, String)] {
      var row = SampleTransitions.client()
      row.ownerName = ShortName(bytes: name.utf8)
      row.ownerPID = pid
      row.local = Endpoint(address: IPAddress(parsing: peer) ?? .unspecified, port: 33266)
      row.peer = Endpoint(address: IPAddress(parsing: peer) ?? .unspecified, port: 59019)
      row.old = .finWait1
      (row.actorPID, row.actorName) = (4_194_302, ShortName("a-name-of-15-by"))
      for stay in [123_400_000, 100_000_000_000_000] as [UInt64] {
        row.stay = Stay(nanoseconds: stay, kind: .atLeast)
        var table = TimelineTable(style: TableStyle(width: width, utc: true))
        var buffer = ByteBuffer()
        table.appendHeader(to: &buffer)
        for new in [.closeWait, .closed, .synReceived] as [TCPState] {
          row.new = new
          row.reason = new == .closed ? reason : nil
          table.append(row, to: &buffer)
        }
        for line in buffer.text.split(separator: "\n") { #expect(DisplayWidth.of(String(line)) <= width, "\(line)") }
      }
    }
  }

  /// A wide cell moves nothing in other lines, and the header isn't repeated.
  @Test(arguments: [60, 80, 100, 120, 160])
  func columnsStayWhereTheyAre(_ width: Int) {
    var table = TimelineTable(style: TableStyle(width: width, utc: true))
    var first = ByteBuffer()
    table.appendHeader(to: &first)
    for row in SampleTransitions.oneConnection.rows { table.append(row, to: &first) }
    var between = ByteBuffer()
    for sample in SampleTransitions.allCases { for row in sample.rows { table.append(row, to: &between) } }
    #expect(!between.text.contains("OWNER"))
    var again = ByteBuffer()
    table.appendHeader(to: &again)
    for row in SampleTransitions.oneConnection.rows { table.append(row, to: &again) }
    #expect(first.text == again.text)
    // The cells of the owner begin where its heading does.
    let lines = first.text.split(separator: "\n")
    let column = lines[0].distance(from: lines[0].startIndex, to: lines[0].range(of: "OWNER")!.lowerBound)
    for line in lines.dropFirst() { #expect(line.dropFirst(column).hasPrefix("curl/8123"), "\(line)") }
  }

  @Test func headerIsRepeatedWhenColumnsMove() {
    var table = TimelineTable(style: TableStyle(width: 160, utc: true))
    var buffer = ByteBuffer()
    func headers(_ buffer: borrowing ByteBuffer) -> Int {
      buffer.text.split(separator: "\n").count { $0.hasPrefix("TIME") }
    }
    table.appendHeader(to: &buffer)
    let row = SampleTransitions.client()
    table.append(row, to: &buffer)
    table.resize(width: 160)
    table.append(row, to: &buffer)
    #expect(headers(buffer) == 1)
    table.resize(width: 80)
    table.append(row, to: &buffer)
    table.append(row, to: &buffer)
    #expect(headers(buffer) == 2)
  }

  /// A usual close has no colour: 380 µs in CLOSE-WAIT are no alarm, two minutes are.
  @Test func colorByAge() {
    var row = SampleTransitions.oneConnection.rows[3]
    #expect(row.old == .closeWait)
    func line(_ nanoseconds: UInt64) -> String {
      row.stay = Stay(nanoseconds: nanoseconds, kind: .exact)
      var table = TimelineTable(style: TableStyle(width: 120, color: true, utc: true))
      var buffer = ByteBuffer()
      table.append(row, to: &buffer)
      return buffer.text
    }
    #expect(!line(380_000).contains("\u{1b}"))
    #expect(line(2_000_000_000).contains("\u{1b}[35m2.00 s\u{1b}[0m"))
    #expect(line(120_000_000_000).contains("\u{1b}[31m2 m 0 s\u{1b}[0m"))
  }

  @Test func noTrailingSpaces() {
    for sample in SampleTransitions.allCases {
      for rendering in Rendering.allCases where rendering.rawValue.hasPrefix("table") {
        let text = rendering.render(sample.rows).text
        #expect(!text.contains(" \n"), "\(sample) \(rendering)")
      }
    }
  }

  @Test func anActorOtherThanTheOwnerIsNamed() {
    var row = SampleTransitions.client()
    row.old = .established
    row.new = .finWait1
    row.actorPID = 812
    row.actorName = ShortName("nginx")
    var table = TimelineTable(style: TableStyle(utc: true))
    var buffer = ByteBuffer()
    table.append(row, to: &buffer)
    #expect(buffer.text.hasSuffix("  closed by nginx/812\n"))
    row.actorPID = row.ownerPID
    buffer.removeAll()
    table.append(row, to: &buffer)
    #expect(buffer.text.hasSuffix("–\n"))
  }

  @Test func textTable() {
    var table = TextTable([("A", .left), ("NUMBER", .right)])
    table.add(["日本", "1"])
    table.add(["x", "22", "trailing"])
    table.add(["only"])
    var buffer = ByteBuffer()
    table.append(to: &buffer)
    #expect(buffer.text == "A     NUMBER\n日本       1\nx         22  trailing\nonly\n")
  }
}
