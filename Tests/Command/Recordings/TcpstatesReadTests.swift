// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TCPStateReport
import TestSupport
import Testing

/// What tcpstates printed, here libbpf-tools 0.26's and bcc's format, as rows of ours.
@Suite struct TcpstatesReadTests {
  private static func rows(_ path: String) throws -> [CSVTable.Row] {
    try CSVTable(Recording.run(["--read", path, "--format", "csv", "--utc"]).output).rows
  }

  @Test(arguments: ["plain", "w", "T-w"])
  func tables(_ name: String) throws {
    let path = Recording.fixture("tcpstates/\(name).txt")
    let lines = try ChildProcess.run(["cat", path]).outputText.split(separator: "\n").dropFirst()
    let rows = try Self.rows(path)
    // A row of a state to itself is none of ours; its time is part of the stay that goes on.
    let all = lines.map { $0.split(separator: " ").filter { $0 != "->" } }
    let isRow = { (parts: [Substring]) in parts[parts.count - 3] != parts[parts.count - 2] }
    #expect(rows.count == all.count(where: isRow) && rows.count > 40)
    #expect((rows.count < all.count) == (name == "plain"))
    var before: [Substring: Double] = [:]
    for (parts, row) in zip(all.filter(isRow), rows) {
      let address = try #require(parts.first { $0.hasPrefix("ffff") })
      before[address] = 0
      for other in all.prefix(while: { $0 != parts }) where other.contains(address) {
        before[address] = isRow(other) ? 0 : (before[address] ?? 0) + (Double(other[other.count - 1]) ?? 0)
      }
      let states = (TCPState(parsing: parts[parts.count - 3]), TCPState(parsing: parts[parts.count - 2]))
      #expect(row["state_old"] == states.0?.name(.openTelemetry) && row["state_new"] == states.1?.name(.openTelemetry))
      let local = parts[parts.count - 7]
      #expect(row["local_address"] == local)
      let milliseconds = parts[parts.count - 1]
      #expect(row["state_duration_ns"].isEmpty == (milliseconds == "0.000"))
      if let number = row.number("state_duration_ns"), let shown = Double(milliseconds) {
        #expect(number == UInt64(((shown + (before[address] ?? 0)) * 1_000_000).rounded()))
      }
      #expect(row["timestamp"].isEmpty == (name != "T-w"))
    }
  }

  /// The client that connects and closes holds its socket; who was on the CPU when a packet came doesn't.
  @Test func processes() throws {
    let rows = try Self.rows(Recording.fixture("tcpstates/w.txt")).filter { !$0["peer_port"].isEmpty }
    for row in rows {
      let isCall = ["closed→syn_sent", "established→fin_wait_1", "close_wait→last_ack"].contains(row.transition)
      #expect(row["actor_pid"].isEmpty == !isCall)
      if row["role"] == "client" { #expect(!row["process_pid"].isEmpty) }
      if row.transition == "listen→syn_received" { #expect(row["process_pid"].isEmpty && row["role"] == "server") }
    }
    #expect(rows.contains { $0["role"] == "client" } && rows.contains { $0["role"] == "server" })
  }

  /// A comma in a name breaks bcc's CSV, but not for us; a socket's address is used again by another.
  @Test func csvOfBcc() throws {
    let text = """
      TIME,TIME(s),SKADDR,C-PID,C-COMM,IP,LADDR,LPORT,RADDR,RPORT,OLDSTATE,NEWSTATE,MS
      23:59:59,0.000000,ffff8881b0f39bc0,17,a, b,4,10.0.0.1,0,10.0.0.2,443,CLOSE,SYN_SENT,0.000
      23:59:59,0.250000,ffff8881b0f39bc0,0,swapper/1,4,10.0.0.1,4000,10.0.0.2,443,SYN_SENT,ESTABLISHED,250.000
      00:00:01,1.500000,ffff8881b0f39bc0,17,a, b,4,10.0.0.1,4000,10.0.0.2,443,ESTABLISHED,FIN_WAIT1,1250.000
      00:00:01,1.600000,ffff8881b0f39bc0,0,swapper/1,4,10.0.0.1,4000,10.0.0.2,443,FIN_WAIT1,FIN_WAIT2,100.000
      00:00:01,1.600026,ffff8881b0f39bc0,0,swapper/1,4,10.0.0.1,4000,10.0.0.2,443,FIN_WAIT2,CLOSE,0.026
      00:00:02,2.000000,ffff8881b0f39bc0,18,b,6,2001:db8::1,0,2001:db8::2,443,CLOSE,SYN_SENT,0.000
      """
    let folder = try Folder()
    let rows = try Self.rows(folder.write("bcc.csv", text + "\n"))
    #expect(rows.map { $0["process_name"] } == ["a, b", "a, b", "a, b", "a, b", "a, b", "b"])
    #expect(
      rows.map { $0["state_duration_ns"] } == ["", "250000000", "1250000000", "100000000", "26000", ""])
    #expect(rows.map { $0["duration_kind"] } == ["", "exact", "exact", "exact", "at_least", ""])
    #expect(rows[0]["connection_id"] == rows[4]["connection_id"])
    #expect(rows[0]["connection_id"] != rows[5]["connection_id"])
    #expect(rows[5]["network_type"] == "ipv6")
    let times = rows.compactMap { $0.number("timestamp_unix_nano") }
    #expect(times == times.sorted() && times.count == 6)
    #expect((times.last ?? 0) - (times.first ?? 0) == 2_000_000_000)
  }

  /// What bcc 0.26's own tcpstates printed of connections over 127.0.0.1 and ::1, by it run twice at the same time, with
  /// `-s` and `-stT`, and with nothing and `-wtT`; lines of others' connections were taken out. It ran on Linux 6.18
  /// with the headers of Debian's 6.1, of which its program needs nothing that has changed.
  @Test(arguments: [("bcc-s.csv", "bcc-stT.csv"), ("bcc.txt", "bcc-w-tT.txt")])
  func ofBcc(_ names: (String, String)) throws {
    let isCSV = names.0.hasSuffix(".csv")
    let rows = try Self.rows(Recording.fixture("tcpstates/\(names.0)"))
    let timed = try Self.rows(Recording.fixture("tcpstates/\(names.1)"))
    let lines = try ChildProcess.run(["cat", Recording.fixture("tcpstates/\(names.0)")]).outputText
      .split(separator: "\n").dropFirst()
    #expect(rows.count == 46 && timed.count == 46 && lines.count == 46)
    for (line, row) in zip(lines, rows) {
      let cells = Array(line.split(separator: isCSV ? "," : " ").filter { $0 != "->" }.suffix(7))
      let shown = [row["local_address"], row["local_port"], row["peer_address"], row["peer_port"]]
      #expect(
        shown.map { $0.isEmpty ? "0" : $0 } == cells[..<4].map { $0 == "0.0.0.0" || $0 == "::" ? "0" : String($0) })
      #expect(
        row.transition
          == [cells[4], cells[5]].compactMap { TCPState(parsing: $0)?.name(.openTelemetry) }.joined(separator: "→"))
      #expect(row["state_duration_ns"].isEmpty == (cells[6] == "0.000"))
    }
    let common = [
      "connection_id", "role", "local_port", "peer_address", "peer_port", "state_old", "state_new", "process_pid",
    ]
    // It prints each CPU's events by themselves, so the order isn't always the same.
    func sorted(_ rows: [CSVTable.Row]) -> [CSVTable.Row] {
      rows.sorted { ($0["connection_id"], $0.transition) < ($1["connection_id"], $1.transition) }
    }
    for (row, other) in zip(sorted(rows), sorted(timed)) {
      for column in common { #expect(row[column] == other[column]) }
      let (a, b) = (row.number("state_duration_ns") ?? 0, other.number("state_duration_ns") ?? 0)
      #expect(max(a, b) - min(a, b) < 1_000_000)
    }
    // `a,b` is a name, also where nothing quotes it; who ran when a packet came is no owner.
    #expect(Set(timed.map { $0["process_name"] }) == ["http server", "a,b", ""])
    // The clock's second, and the seconds since the first event, make one time.
    let start = try #require(timed[0].number("timestamp_unix_nano"))
    #expect(start % 86_400_000_000_000 == (isCSV ? 56_571 : 56_585) * 1_000_000_000)
    #expect(try #require(timed[1].number("timestamp_unix_nano")) - start == (isCSV ? 5_458_000 : 1_403_000))
  }

  /// `tcpstates` prints what bcc has printed, except what bcc doesn't know.
  @Test(arguments: [("bcc-s.csv", ["-s"]), ("bcc-stT.csv", ["-stT"]), ("bcc.txt", [])])
  func asBcc(_ name: String, _ options: [String]) throws {
    let path = Recording.fixture("tcpstates/\(name)")
    let theirs = try ChildProcess.run(["cat", path]).outputText.split(separator: "\n", omittingEmptySubsequences: false)
    let ours = try Recording.run(["tcpstates", "--read", path] + options).outputText
      .split(separator: "\n", omittingEmptySubsequences: false)
    #expect(ours.count == theirs.count && ours.first == theirs.first)
    func known(_ line: Substring) -> String {
      var cells = line.split(separator: name.hasSuffix(".csv") ? "," : " ", omittingEmptySubsequences: false).map(
        String.init)
      if name.hasSuffix(".csv"), let address = cells.firstIndex(where: { $0.hasPrefix("ffff") }) {
        // The process's cells, which a comma in the name makes three.
        cells.removeSubrange((address + 1)..<(cells.count - 8))
        // The clock's seconds don't go on with the others'.
        if address == 2 { cells.removeFirst() }
      } else if cells.count > 1 {
        return String(line.prefix(17) + line.dropFirst(34).dropLast(line.reversed().firstIndex(of: " ") ?? 0))
      }
      return cells.dropLast().joined(separator: ",")
    }
    for (our, their) in zip(ours.dropFirst(), theirs.dropFirst()) { #expect(known(our) == known(their)) }
  }

  @Test func badLines() throws {
    let folder = try Folder()
    let header = "SKADDR,C-PID,C-COMM,IP,LADDR,LPORT,RADDR,RPORT,OLDSTATE,NEWSTATE,MS\n"
    let path = try folder.write("bcc.csv", header + "ffff,1,a,4,1.2.3.4,1,1.2.3.4,70000,CLOSE,LISTEN,0.0\n")
    #expect(try Recording.run(["--read", path], status: 65).errorText.contains("bcc.csv:2: '70000' is not a port"))
    let short = try folder.write("short.csv", header + "ffff,1,a\n")
    #expect(try Recording.run(["--read", short], status: 65).errorText.contains("2: is not a line of tcpstates"))
  }

  /// A time of day just after midnight isn't before the epoch in the zones that glibc takes, a week at most.
  @Test(arguments: ["UTC", "XXX24", "XXX-24", "XXX-24:59:59", "XXX-167", "XXX167"])
  func timesOfDayInAnyZone(_ zone: String) throws {
    let folder = try Folder()
    let text = """
      TIME     SKADDR           C-PID C-COMM     LADDR           LPORT RADDR           RPORT OLDSTATE    -> NEWSTATE    MS
      00:00:00 ffff8881b0f39bc0 17    curl       10.0.0.1        4000  10.0.0.2        443   ESTABLISHED -> FIN_WAIT1   1.000
      23:59:59 ffff8881b0f39bc0 17    curl       10.0.0.1        4000  10.0.0.2        443   FIN_WAIT1   -> FIN_WAIT2   1.000

      """
    let path = try folder.write("t.txt", text)
    let shown = try Recording.run(["env", "TZ=\(zone)", Tracer.binary, "tcpstates", "-T", "--read", path], bare: true)
    let times = shown.outputText.split(separator: "\n").dropFirst().map { $0.prefix(8) }
    #expect(times == ["00:00:00", "23:59:59"])
  }
}
