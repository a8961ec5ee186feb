// SPDX-License-Identifier: Apache-2.0
import Foundation
import TCPStateCore
import TCPStateReport
import TestSupport
import Testing

@testable import tcpstate_trace

/// On a terminal no command writes a line that is wider, whatever it shows.
@Suite struct WidthTests {
  /// Connections with all that is wide: long IPv6 addresses, names of wide and of escaped characters, namespaces, cgroups.
  private static let recording: String = {
    let long = IPAddress(parsing: "2001:db8:85a3:1234:5678:8a2e:370:7334") ?? .unspecified
    let names = ["日本語日本", "a-name-of-15-by", "\u{1b}\u{1b}\u{1b}\u{1b}\u{1b}"]
    var rows: [Transition] = []
    for (index, name) in names.enumerated() {
      for sample in [SampleTransitions.oneConnection, .endings] {
        for var row in sample.rows {
          row.connection = UInt64(index * 100 + 1) + (sample == .endings ? UInt64(rows.count) + 1000 : 0)
          row.ownerName = ShortName(bytes: name.utf8)
          row.ownerPID = 4_194_303
          if index != 1 { (row.local.address, row.peer.address) = (long, long) }
          row.cgroup = 9_007_199_254_740_991
          rows.append(row)
        }
      }
      // One that stays in CLOSE-WAIT.
      var left = SampleTransitions.oneConnection.rows[2]
      left.connection = UInt64(index + 5000)
      left.ownerName = ShortName(bytes: name.utf8)
      left.local.address = long
      left.peer.address = long
      rows.append(left)
      // And one in TIME-WAIT.
      (left.connection, left.old, left.new) = (UInt64(index + 6000), .finWait2, .timeWait)
      rows.append(left)
    }
    rows.sort { $0.time < $1.time }
    for index in rows.indices { rows[index].sequence = UInt64(index + 1) }
    return Recording.csv(rows)
  }()

  private static let calls: [[String]] = [
    ["trace"], ["trace", "--format", "table", "--color", "always"], ["stuck", "--older-than", "0s"],
    ["stuck", "--older-than", "0s", "--state", "all", "--by", "peer"], ["stuck", "--state", "time-wait"], ["summary"],
    ["summary", "--by", "process", "--histogram"], ["summary", "--by", "peer"], ["lifecycle"],
  ]

  /// The ladder needs 72 columns; what is BCC's has BCC's columns.
  @Test(arguments: calls, [60, 80, 100, 120, 160, 200] as [UInt16])
  func recorded(_ call: [String], _ width: UInt16) throws {
    if call == ["lifecycle"], width < 72 { return }
    let folder = try Folder()
    let file = try folder.write("t.csv", Self.recording)
    let process = try ChildProcess.run(
      [Tracer.binary] + call + ["--read", file], output: .terminal(columns: width), seconds: 60)
    #expect([.exited(0), .exited(1)].contains(process.ending), "\(process.errorText)")
    Self.check(process, width)
  }

  @Test(arguments: [60, 80, 100, 120, 160, 200] as [UInt16])
  func explained(_ width: UInt16) throws {
    // Those that are drawn are as wide as the ladder.
    for name in Explanation.names where width >= 72 || !["handshake", "close"].contains(name) {
      Self.check(try ChildProcess.run([Tracer.binary, "explain", name], output: .terminal(columns: width)), width)
    }
    let doctor = try ChildProcess.run([Tracer.binary, "doctor"], output: .terminal(columns: width), seconds: 60)
    Self.check(doctor, width)
  }

  /// Every command that writes a table on a terminal is among those above.
  @Test func allCommands() {
    let tested = Set(Self.calls.map { $0[0] } + ["explain", "doctor"])
    // A full screen, documents, and BCC's layout.
    #expect(Set(Subcommands.names) == tested.union(["top", "report", "schema", "tcpstates", "help"]))
  }

  private static func check(_ process: ChildProcess, _ width: UInt16) {
    let plain = process.outputText.replacing(/\u{1b}\[[0-9;]*m/, with: "")
    let lines = plain.split(whereSeparator: \.isNewline)
    #expect(!lines.isEmpty)
    for line in lines where !line.contains(" ss -K ") {
      #expect(DisplayWidth.of(String(line)) <= Int(width), "\(width): \(line)")
    }
  }
}
