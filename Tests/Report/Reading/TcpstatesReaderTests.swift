// SPDX-License-Identifier: Apache-2.0
import Glibc
import TCPStateCore
import TCPStateReport
import TestSupport
import Testing

/// Lines that tcpstates printed, in every layout, become transitions.
@Suite struct TcpstatesReaderTests {
  private static func read(_ text: String) throws(RecordingError) -> [Transition] {
    var reader = TransitionReader(capacity: 4_096)
    var rows: [Transition] = []
    var row = Transition()
    var rest = Array(text.utf8)[...]
    while true {
      switch try reader.next(&row) {
      case .row: rows.append(row)
      case .end: return rows
      case .needsBytes:
        _ = reader.append { (room: UnsafeMutableRawBufferPointer) -> Int in
          let piece = rest.prefix(room.count)
          room.copyBytes(from: piece)
          rest = rest.dropFirst(piece.count)
          return piece.count
        }
      }
    }
  }

  private static let first = "ffff8881b0f39bc0"

  /// The same connection in each layout; the columns before the local address differ.
  @Test(arguments: [
    ("SKADDR,C-PID,C-COMM,LADDR,LPORT,RADDR,RPORT,OLDSTATE,NEWSTATE,MS", ["", ",a b,", ","], false),
    ("TIME,TIME(s),SKADDR,C-PID,C-COMM,IP,LADDR,LPORT,RADDR,RPORT,OLDSTATE,NEWSTATE,MS", ["T", ",a b,4,", ","], true),
    (
      "SKADDR           PID     COMM LADDR LPORT RADDR RPORT OLDSTATE    -> NEWSTATE    MS", ["", "  a b  ", "  "],
      false
    ),
  ])
  func layouts(_ header: String, _ parts: [String], _ isTimed: Bool) throws {
    let steps = [
      ("CLOSE", "SYN_SENT", "0.000", "0"), ("SYN_SENT", "ESTABLISHED", "250.000", "4000"),
      ("ESTABLISHED", "FIN_WAIT1", "1250.000", "4000"), ("FIN_WAIT1", "FIN_WAIT2", "100.000", "4000"),
      ("FIN_WAIT2", "CLOSE", "0.026", "4000"), ("CLOSE", "SYN_SENT", "0.000", "0"),
    ]
    let comma = parts[2]
    var text = header + "\n"
    for (number, step) in steps.enumerated() {
      if isTimed { text += "23:59:5\(number),\(number).500000," }
      text += "\(Self.first)\(comma)17\(parts[1])10.0.0.1\(comma)\(step.3)\(comma)10.0.0.2\(comma)443\(comma)"
      text += "\(step.0)\(comma == "," ? "," : " -> ")\(step.1)\(comma)\(step.2)\n"
    }
    let rows = try Self.read(text)
    #expect(rows.map(\.new) == [.synSent, .established, .finWait1, .finWait2, .closed, .synSent])
    #expect(rows.map { $0.stay?.nanoseconds } == [nil, 250_000_000, 1_250_000_000, 100_000_000, 26_000, nil])
    // tcpstates takes FIN-WAIT-2's move into a minisock for the end.
    #expect(rows.map { $0.stay?.kind } == [nil, .exact, .exact, .exact, .atLeast, nil])
    #expect(rows.allSatisfy { $0.role == .client && $0.peer.port == 443 && $0.ownerName == ShortName("a b") })
    #expect(rows.map { $0.actorPID } == [17, nil, 17, nil, nil, 17])
    #expect(Set(rows.prefix(5).map(\.connection)).count == 1)
    #expect(rows[5].connection != rows[0].connection, "the address is another socket's now")
    if isTimed { #expect(zip(rows, rows.dropFirst()).allSatisfy { $1.time - $0.time == 1_000_000_000 }) }
  }

  /// A time of day without a date continues past midnight.
  @Test func midnight() throws {
    var text = "TIME,SKADDR,C-PID,C-COMM,LADDR,LPORT,RADDR,RPORT,OLDSTATE,NEWSTATE,MS\n"
    for (time, states) in [("23:59:59", "LISTEN,SYN_RECV"), ("00:00:01", "SYN_RECV,ESTABLISHED")] {
      text += "\(time),\(Self.first),0,swapper/0,::1,443,::1,4000,\(states),2.5\n"
    }
    let rows = try Self.read(text)
    #expect(rows.map(\.role) == [.server, .server])
    #expect(rows[1].time - rows[0].time == 2_000_000_000)
    #expect(rows[1].stay == Stay(nanoseconds: 2_500_000, kind: .atLeast), "SYN-RECEIVED begins late for it")
    #expect(rows.allSatisfy { $0.ownerPID == nil }, "the process on the CPU isn't the owner")
  }

  /// A time of day is local and of no known day, so it is taken for one of 2 January 1970, as seconds are.
  @Test func timesWithoutADate() throws {
    let columns = "SKADDR,C-PID,C-COMM,LADDR,LPORT,RADDR,RPORT,OLDSTATE,NEWSTATE,MS\n"
    let line = "\(Self.first),0,swapper/0,::1,443,::1,4000,LISTEN,SYN_RECV,0\n"
    let day: UInt64 = 86_400
    var clock = time_t(day)
    var local = tm()
    localtime_r(&clock, &local)
    let rows = try Self.read("TIME," + columns + "11:14:20," + line)
    #expect(rows.map { Int($0.time / 1_000_000_000) + local.tm_gmtoff } == [Int(day) + 11 * 3_600 + 14 * 60 + 20])
    #expect(try Self.read("TIME(s)," + columns + "7.25," + line).map(\.time) == [day * 1_000_000_000 + 7_250_000_000])
    #expect(try Self.read("TIME(s)," + columns + "-0.5," + line).map(\.time) == [day * 1_000_000_000 - 500_000_000])
    // The last second of signed nanoseconds.
    #expect(try Self.read("TIME(s)," + columns + "9223285636," + line).count == 1)
    #expect(throws: RecordingError(line: 2, "has a time after the year 2262")) {
      try Self.read("TIME(s)," + columns + "9223285637," + line)
    }
  }

  @Test(arguments: [
    ("SKADDR", "is not a line of tcpstates: 'SKADDR'"),
    ("zz,1,a,10.0.0.1,1,10.0.0.2,2,CLOSE,LISTEN,0", "'zz' is not a socket address"),
    ("ff,-1,a,10.0.0.1,1,10.0.0.2,2,CLOSE,LISTEN,0", "'-1' is not a process id"),
    ("ff,1,a,10.0.0,1,10.0.0.2,2,CLOSE,LISTEN,0", "'10.0.0' is not an IP address"),
    ("ff,1,a,10.0.0.1,1,10.0.0.2,65536,CLOSE,LISTEN,0", "'65536' is not a port"),
    ("ff,1,a,10.0.0.1,1,10.0.0.2,2,SHUT,LISTEN,0", "'SHUT' is not a state"),
    ("ff,1,a,10.0.0.1,1,10.0.0.2,2,CLOSE,LISTEN,1.2.3", "'1.2.3' is not milliseconds"),
    ("ff,1,a,10.0.0.1,1,10.0.0.2,2,CLOSE,LISTEN,99999999999999999999", "'99999999999999999999' is not milliseconds"),
  ])
  func refusals(_ line: String, _ what: String) {
    let header = "SKADDR,C-PID,C-COMM,LADDR,LPORT,RADDR,RPORT,OLDSTATE,NEWSTATE,MS\n"
    #expect(throws: RecordingError(line: 2, what)) { try Self.read(header + line + "\n") }
  }
}
