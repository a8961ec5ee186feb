// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TCPStateReport
import TestSupport
import Testing

@Suite struct TimelineTableTests {
  /// Addresses are complete at any width.
  @Test(arguments: [nil, 1, 20, 79, 80, 99, 100, 113, 114, 120, 126, 160, 500])
  func nothingIsCut(_ width: Int?) {
    var table = TimelineTable(style: TableStyle(width: width, utc: true))
    var buffer = ByteBuffer()
    for row in SampleTransitions.ipv6.rows {
      buffer.removeAll()
      table.append(row, to: &buffer)
      if row.peer != .none { #expect(buffer.text.contains(" \(EndpointText.string(row.peer)) ")) }
      #expect(buffer.text.contains("→ \(row.new.name(.rfc))"))
    }
  }

  /// A plain connection fits every width that the layouts are made for.
  @Test func fitsEveryWidth() {
    for width in 80...260 {
      var table = TimelineTable(style: TableStyle(width: width, utc: true))
      var buffer = ByteBuffer()
      table.appendHeader(to: &buffer)
      for row in SampleTransitions.oneConnection.rows { table.append(row, to: &buffer) }
      for line in buffer.text.split(separator: "\n") {
        #expect(DisplayWidth.of(String(line)) <= width, "\(width): \(line)")
      }
    }
  }

  /// A connection that ends other than in order fits too, with all kinds of ports and process names.
  @Test(
    arguments: [80, 120, 160],
    [.resetReceived, .resetSent, .timeout, .killed, .unaccepted] as [Reason])
  func fitsWhateverHappens(_ width: Int, _ reason: Reason) {
    for (name, pid, peer) in [
      ("curl", 8123, "127.0.0.1"), ("python3", 26115, "127.0.0.1"), ("nginx", 812, "192.168.100.200"),
      ("python3", 26115, "93.184.216.34"),
    ] as [(String, UInt32, String)] {
      var row = SampleTransitions.client()
      row.ownerName = ShortName(name)
      row.ownerPID = pid
      row.local.port = 33266
      row.peer = Endpoint(address: IPAddress(parsing: peer) ?? .unspecified, port: 59019)
      row.old = .established
      row.stay = Stay(nanoseconds: 123_400_000, kind: .exact)
      var table = TimelineTable(style: TableStyle(width: width, utc: true))
      var buffer = ByteBuffer()
      table.appendHeader(to: &buffer)
      for new in [.closeWait, .closed, .closeWait] as [TCPState] {
        row.new = new
        row.reason = new == .closed ? reason : nil
        table.append(row, to: &buffer)
      }
      let lines = buffer.text.split(separator: "\n")
      for line in lines { #expect(DisplayWidth.of(String(line)) <= width, "\(line)") }
      #expect(lines.last == lines[lines.count - 3], "only the line that needs it is squeezed")
    }
  }

  /// One long cell doesn't make all later lines wrap.
  @Test(arguments: [80, 107, 120])
  func oneLongLineAlone(_ width: Int) {
    var table = TimelineTable(style: TableStyle(width: width, utc: true))
    var buffer = ByteBuffer()
    var long = SampleTransitions.client()
    long.ownerName = ShortName("a-name-of-15-by")
    long.ownerPID = 4_194_303
    for row in SampleTransitions.ipv6.rows { table.append(row, to: &buffer) }
    table.append(long, to: &buffer)
    #expect(buffer.text.contains("a-name-of-15-by/4194303 "))
    buffer.removeAll()
    for row in SampleTransitions.oneConnection.rows { table.append(row, to: &buffer) }
    for line in buffer.text.split(separator: "\n") {
      #expect(DisplayWidth.of(String(line)) <= width, "\(width): \(line)")
    }
  }

  @Test func headerIsRepeatedWhenColumnsChange() {
    var table = TimelineTable(style: TableStyle(width: 160, utc: true))
    var buffer = ByteBuffer()
    func headers(_ buffer: borrowing ByteBuffer) -> Int {
      buffer.text.split(separator: "\n").count { $0.hasPrefix("TIME") }
    }
    table.appendHeader(to: &buffer)
    let row = SampleTransitions.client()
    table.append(row, to: &buffer)
    #expect(headers(buffer) == 1)
    table.resize(width: 161)
    table.append(row, to: &buffer)
    #expect(headers(buffer) == 1)
    table.resize(width: 80)
    table.append(row, to: &buffer)
    table.append(row, to: &buffer)
    #expect(headers(buffer) == 2)
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
