// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TCPStateReport
import TestSupport
import Testing

/// tcpstates reads one buffer per CPU after the other, so rows of one socket may be printed in any order.
@Suite struct TcpstatesOrderTests {
  private static let header = "SKADDR,C-PID,C-COMM,LADDR,LPORT,RADDR,RPORT,OLDSTATE,NEWSTATE,MS\n"

  /// A line for each step: the states and the milliseconds.
  private static func lines(_ address: String, _ steps: [(String, String, String)]) -> [String] {
    steps.map { "\(address),17,srv,10.0.0.1,8090,10.0.0.2,4000,\($0.0),\($0.1),\($0.2)\n" }
  }

  private static let life = [
    ("LISTEN", "SYN_RECV", "0.000"), ("SYN_RECV", "ESTABLISHED", "0.019"), ("ESTABLISHED", "CLOSE_WAIT", "0.311"),
    ("CLOSE_WAIT", "LAST_ACK", "0.018"), ("LAST_ACK", "CLOSE", "0.041"),
  ]

  private static func read(_ text: String) throws(RecordingError) -> (rows: [Transition], late: UInt64, wasCut: Bool) {
    var reader = TransitionReader(capacity: 4_096)
    var rows: [Transition] = []
    var row = Transition()
    var rest = Array(text.utf8)[...]
    while true {
      switch try reader.next(&row) {
      case .row: rows.append(row)
      case .end: return (rows, reader.late, reader.wasCut)
      case .needsBytes:
        _ = reader.append { (room: UnsafeMutableRawBufferPointer) -> Int in
          let piece = rest.prefix(min(room.count, 100))
          room.copyBytes(from: piece)
          rest = rest.dropFirst(piece.count)
          return piece.count
        }
      }
    }
  }

  private static let chain: [TCPState] = [.synReceived, .established, .closeWait, .lastAck, .closed]

  /// Every order in which the first row is the first.
  @Test func everyOrder() throws {
    let lines = Self.lines("ffff8881a0030000", Self.life)
    var count = 0
    func permute(_ done: [String], _ rest: [String]) throws {
      if rest.isEmpty {
        count += 1
        let read = try Self.read(Self.header + done.joined())
        #expect(read.rows.map(\.new) == Self.chain, "\(done)")
        #expect(Set(read.rows.map(\.connection)).count == 1 && read.late == 0)
      }
      for index in rest.indices {
        var left = rest
        let next = left.remove(at: index)
        try permute(done + [next], left)
      }
    }
    try permute([lines[0]], Array(lines[1...]))
    #expect(count == 24)
  }

  /// The address's next socket begins before the last row of the one before it.
  @Test func reusedAddress() throws {
    let lines = Self.lines("ffff8881a0030000", Self.life)
    let read = try Self.read(Self.header + (lines[..<4] + [lines[0], lines[4]] + lines[1...]).joined())
    #expect(read.rows.map(\.new) == Self.chain + Self.chain)
    #expect(Set(read.rows.prefix(5).map(\.connection)).count == 1)
    #expect(Set(read.rows.map(\.connection)).count == 2)
  }

  /// A row that never comes doesn't keep the later ones back for ever.
  @Test func lostRow() throws {
    let lines = Self.lines("ffff8881a0030000", Self.life)
    let text = Self.header + lines[0] + lines[1] + lines[3] + lines[4]
    #expect(try Self.read(text).rows.map(\.new) == [.synReceived, .established, .lastAck, .closed])
    let others = (0..<9_000).map { Self.lines(String(0xffff_8881_a100_0000 + UInt64($0), radix: 16), Self.life)[0] }
    let long = try Self.read(text + others.joined())
    let places = long.rows.indices.filter { long.rows[$0].socketAddress == 0xffff_8881_a003_0000 }
    #expect(places.map { long.rows[$0].new } == [.synReceived, .established, .lastAck, .closed])
    #expect(places[2] > 8_000 && places[3] == places[2] + 1 && long.rows.count == 9_004)
  }

  /// Of a socket older than the recording nothing says that a row before the first one is still to come.
  @Test func rowBeforeTheFirst() throws {
    let lines = Self.lines("ffff8881a0030000", Self.life)
    let read = try Self.read(Self.header + lines[4] + lines[3])
    #expect(read.rows.map(\.new) == [.closed], "a LAST-ACK that ended isn't open again")
    #expect(read.late == 1)
  }

  /// close() in FIN-WAIT-2 changes no state: the stay goes on.
  @Test(arguments: [("100.000", "0.009", 100_009_000, DurationKind.exact), ("0.000", "0.009", 9_000, .atLeast)])
  func rowsOfAStateToItself(_ first: String, _ second: String, _ stay: UInt64, _ kind: DurationKind) throws {
    let steps = [
      ("FIN_WAIT1", "FIN_WAIT2", "1.000"), ("FIN_WAIT2", "FIN_WAIT2", first), ("FIN_WAIT2", "LAST_ACK", second),
    ]
    let rows = try Self.read(Self.header + Self.lines("ffff8881a0030000", steps).joined()).rows
    #expect(rows.map(\.new) == [.finWait2, .lastAck])
    #expect(rows.last?.stay == Stay(nanoseconds: stay, kind: kind))
  }

  /// What a terminal leaves at the end: the echo of Ctrl-C, or half a line.
  @Test(arguments: ["^C\n", "^C", "^C\r\n", "^C^C\n", "^Z\n", "ffff8881a003\n", "ffff8881a003", "Detaching ...\n"])
  func lastLine(_ end: String) throws {
    let lines = Self.lines("ffff8881a0030000", Self.life).joined()
    let read = try Self.read(Self.header + lines + end)
    #expect(read.rows.map(\.new) == Self.chain)
    #expect(read.wasCut == (end.first != "^" || end == "^C"))
    #expect(try Self.read(Self.header + "^C\n" + lines).rows.count == 5)
    if end.first != "^", end.last == "\n" {
      #expect(throws: RecordingError.self) { try Self.read(Self.header + lines + end + lines) }
    }
  }

  /// Only the characters that a terminal echoes are an echo.
  @Test(arguments: [("^C \n", false), ("^C\r\n", false), ("^Cab\n", true), ("^1\n", true), ("^\n", true)])
  func echoes(_ end: String, _ isCut: Bool) throws {
    let lines = Self.lines("ffff8881a0030000", Self.life).joined()
    let read = try Self.read(Self.header + lines + end)
    #expect(read.rows.map(\.new) == Self.chain && read.wasCut == isCut)
  }

  @Test func quotedCells() throws {
    let quoted = Self.lines("ffff8881a0030000", Self.life).map { line in
      line.dropLast().split(separator: ",").map { "\"\($0)\"" }.joined(separator: ",") + "\n"
    }
    let header = Self.header.dropLast().split(separator: ",").map { "\"\($0)\"" }.joined(separator: ",") + "\n"
    for first in [header, Self.header] {
      let rows = try Self.read(first + quoted.joined()).rows
      #expect(rows.map(\.new) == Self.chain)
      #expect(rows.contains { $0.actorName == ShortName("srv") })
    }
  }

  /// pandas: an index first, floating-point numbers, and digits that mean nothing.
  @Test func pandas() throws {
    let text = """
      ,SKADDR,C-PID,C-COMM,LADDR,LPORT,RADDR,RPORT,OLDSTATE,NEWSTATE,MS
      0,ffff8881a0030000,17.0,"a,b",10.0.0.1,8090.0,10.0.0.2,4000.0,ESTABLISHED,FIN_WAIT1,0.31100000000000005
      1,ffff8881a0030000,,,10.0.0.1,8090.0,10.0.0.2,4000.0,FIN_WAIT1,FIN_WAIT2,nan

      """
    let rows = try Self.read(text).rows
    #expect(rows.map(\.new) == [.finWait1, .finWait2])
    #expect(rows[0].stay == Stay(nanoseconds: 311_000, kind: .exact) && rows[1].stay == nil)
    #expect(rows[0].actorPID == 17 && rows[0].actorName == ShortName("a,b"))
    #expect(rows.allSatisfy { $0.local.port == 8_090 && $0.peer.port == 4_000 })
  }

  /// The same as JSON objects, one per line or in an array.
  @Test(arguments: ["\n", ",\n"])
  func objects(_ separator: String) throws {
    let objects = Self.life.map { step in
      "{\"SKADDR\":\"ffff8881a0030000\",\"C-PID\":17,\"C-COMM\":\"srv\",\"LADDR\":\"10.0.0.1\",\"LPORT\":8090,"
        + "\"RADDR\":\"10.0.0.2\",\"RPORT\":4000.0,\"OLDSTATE\":\"\(step.0)\",\"NEWSTATE\":\"\(step.1)\",\"MS\":\(step.2)}"
    }.joined(separator: separator)
    let rows = try Self.read(separator == "\n" ? objects + "\n" : "[\(objects)]").rows
    let plain = try Self.read(Self.header + Self.lines("ffff8881a0030000", Self.life).joined()).rows
    #expect(rows.map(\.new) == plain.map(\.new) && rows.map(\.stay) == plain.map(\.stay))
    #expect(rows.map(\.local) == plain.map(\.local) && rows.map(\.connection) == plain.map(\.connection))
  }
}
