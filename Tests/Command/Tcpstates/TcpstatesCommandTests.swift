// SPDX-License-Identifier: Apache-2.0
import Foundation
import TCPStateCore
import TCPStateReport
import TestSupport
import Testing

/// The command over recordings, which needs no privileges.
@Suite struct TcpstatesCommandTests {
  /// A recording in a file of its own, removed with this value.
  private final class Recording {
    let folder: URL
    var path: String { folder.appendingPathComponent("r.csv").path }
    func file(_ name: String) -> String { folder.appendingPathComponent(name).path }

    init(_ rows: [Transition], columns: [Column] = Column.allCases) throws {
      folder = FileManager.default.temporaryDirectory.appendingPathComponent("tcpstates-\(UUID().uuidString)")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      var buffer = ByteBuffer()
      var csv = CSVWriter(columns: columns)
      csv.appendHeader(to: &buffer)
      for row in rows { csv.append(row, to: &buffer) }
      try buffer.withBytes { Data($0) }.write(to: URL(fileURLWithPath: path))
    }

    deinit { try? FileManager.default.removeItem(at: folder) }
  }

  private func run(_ arguments: [String], by name: String = Tracer.binary) throws -> ChildProcess {
    try ChildProcess.run([name] + arguments)
  }

  /// FIN-WAIT-2 and TIME-WAIT of a client that closes first; their rows after the FIN are derived, without a socket.
  private func closing() -> [Transition] {
    var row = SampleTransitions.client()
    var rows: [Transition] = []
    for (state, stay) in [
      (.synSent, nil), (.established, 1_000_000), (.finWait1, 2_000_000), (.finWait2, 3_000_000),
      (.timeWait, 301_234_567), (.closed, 60_000_000_000),
    ] as [(TCPState, UInt64?)] {
      row.old = row.new
      row.new = state
      row.sequence += 1
      row.stay = stay.map { Stay(nanoseconds: $0, kind: .exact) }
      row.time += stay ?? 0
      row.socketAddress = state == .timeWait || state == .closed ? nil : 0xffff_8881_0a2b_3c40
      rows.append(row)
    }
    return rows
  }

  @Test func kernelsTransitions() throws {
    let recording = try Recording(closing())
    let result = try run(["tcpstates", "-s", "--read", recording.path])
    #expect(
      result.outputText == """
        SKADDR,C-PID,C-COMM,IP,LADDR,LPORT,RADDR,RPORT,OLDSTATE,NEWSTATE,MS
        ffff88810a2b3c40,8123,curl,4,10.0.0.5,51234,93.184.216.34,443,CLOSE,SYN_SENT,
        ffff88810a2b3c40,8123,curl,4,10.0.0.5,51234,93.184.216.34,443,SYN_SENT,ESTABLISHED,1.000
        ffff88810a2b3c40,8123,curl,4,10.0.0.5,51234,93.184.216.34,443,ESTABLISHED,FIN_WAIT1,2.000
        ffff88810a2b3c40,8123,curl,4,10.0.0.5,51234,93.184.216.34,443,FIN_WAIT1,FIN_WAIT2,3.000
        ffff88810a2b3c40,8123,curl,4,10.0.0.5,51234,93.184.216.34,443,FIN_WAIT2,CLOSE,301.234

        """)
    #expect(result.ending == .exited(0) && result.errorText == "")
    let states = try run(["tcpstates", "-s", "--state", "CLOSE", "--read", recording.path]).outputText
    #expect(states.split(separator: "\n").count == 3, "to and from CLOSE as it is printed")
  }

  @Test func timeWait() throws {
    let recording = try Recording(closing())
    let lines = try run(["tcpstates", "-s", "--time-wait", "--read", recording.path]).outputText.split(separator: "\n")
    #expect(
      lines.suffix(2) == [
        "ffff88810a2b3c40,8123,curl,4,10.0.0.5,51234,93.184.216.34,443,FIN_WAIT2,TIME_WAIT,301.234",
        "ffff88810a2b3c40,8123,curl,4,10.0.0.5,51234,93.184.216.34,443,TIME_WAIT,CLOSE,60000.000",
      ])
  }

  /// The default columns lack the socket's address.
  @Test func connectionInPlaceOfSocket() throws {
    let recording = try Recording(closing(), columns: Column.defaults)
    let lines = try run(["tcpstates", "--read", recording.path]).outputText.split(separator: "\n")
    #expect(lines.count == 6 && lines.dropFirst().allSatisfy { $0.hasPrefix("00000000000a3f11 8123  curl ") })
  }

  /// What it prints is read again, with all that the format has: unknown owners and durations, quotes, late rows.
  @Test(arguments: [["-s"], ["-stT"], [], ["-w", "-t"]])
  func roundTrip(_ options: [String]) throws {
    var rows = closing()
    rows[1].ownerPID = nil
    rows[1].ownerName = ShortName()
    for index in 2..<rows.count { rows[index].ownerName = ShortName("a,\"b c") }
    rows[4].time = rows[0].time - 500_000
    for index in rows.indices where rows[index].socketAddress == nil {
      rows[index].socketAddress = 0xffff_8881_0a2b_3c40
    }
    let recording = try Recording(rows)
    let first = try run(["tcpstates"] + options + ["--read", recording.path])
    let copy = recording.file("copy")
    try Data(first.output).write(to: URL(fileURLWithPath: copy))
    let second = try run(["trace", "--format", "csv", "--columns", "all", "--read", copy])
    #expect(second.ending == .exited(0), "\(second.errorText)")
    let readBack = try CSVTable(second.output).rows
    #expect(
      readBack.map(\.transition) == [
        "closed→syn_sent", "syn_sent→established", "established→fin_wait_1", "fin_wait_1→fin_wait_2",
        "fin_wait_2→closed",
      ])
    #expect(readBack.map { $0["state_duration_ns"] } == ["", "1000000", "2000000", "3000000", "301234000"])
    #expect(readBack[2]["actor_name"] == "a,\"b c")
  }

  @Test func calledByItsName() throws {
    let recording = try Recording(closing())
    let link = recording.file("tcpstates")
    let binary = URL(fileURLWithPath: Tracer.binary).path
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: binary)
    let result = try run(["-stT", "-D", "443", "--read", recording.path], by: link)
    #expect(result.outputText.hasPrefix("TIME,TIME(s),SKADDR,C-PID"))
    #expect(result.outputText.contains(",0.001000,ffff88810a2b3c40,"))
    #expect(try run(["--help"], by: link).outputText.contains("--journal"))
    #expect(try run(["stuck"], by: link).ending == .exited(64))
  }

  @Test(arguments: [
    (["-L", "65536"], "65536"), (["--remoteport", "80,99999"], "99999"), (["-L", "0"], "'0'"),
    (["-4", "-6"], "exclude each other"), (["--read", "r", "--record", "s"], "--record"),
    (["--journal-socket", "/x"], "-Y"), (["--localport", "http"], "http"),
  ])
  func refusals(_ options: [String], _ what: String) throws {
    let result = try run(["tcpstates"] + options)
    #expect(result.ending == .exited(64))
    #expect(result.errorLines.count == 1 && result.errorText.contains(what), "\(result.errorText)")
    #expect(result.output.isEmpty)
  }

  @Test func badRecording() throws {
    let recording = try Recording([])
    try Data("not a recording\n".utf8).write(to: URL(fileURLWithPath: recording.path))
    let result = try run(["tcpstates", "-s", "--read", recording.path])
    #expect(result.ending == .exited(65))
    #expect(result.output.isEmpty, "no header over nothing")
  }
}
