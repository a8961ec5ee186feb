// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

extension Privileged {
  /// `tcpstates -s` next to libbpf-tools' tcpstates, on the same sockets at the same time.
  @Suite struct TcpstatesTests {
    /// Without half_open_for_good, of which tcpstates sees nothing at the server.
    private static let lives = [
      "client_closes_first", "client_closes_first/ipv6", "client_closes_first/mapped", "server_closes_first",
      "server_closes_first/ipv6", "orphan_fin_wait_2", "closed_in_fin_wait_2", "fin_with_ack", "linger_0",
      "unread_data", "disconnect", "reset_in_fin_wait_1", "reset_in_close_wait", "reset_in_last_ack", "refused",
      "connect_timeout", "user_timeout", "simultaneous_close", "self_connect", "never_accepted",
      "never_accepted_and_left", "backlog_overflow", "killed", "fast_open", "syn_cookie", "half_open", "reused",
    ]
    /// Where the full socket is swapped for a FIN-WAIT-2 minisock, which tcpstates takes for the end.
    private static let orphaned: Set<String> = ["orphan_fin_wait_2", "closed_in_fin_wait_2", "never_accepted_and_left"]

    @Test(.enabled(if: access("/usr/sbin/tcpstates", X_OK) == 0, "needs Debian's libbpf-tools"))
    func lineByLine() throws {
      let namespace = try NetworkNamespace()
      let theirs = try LibbpfTcpstates()
      let ours = try ChildProcess([
        Tracer.binary, "tcpstates", "-s", "--netns", namespace.path, "--for", "150s",
      ])
      try ours.read(until: Deadline(seconds: 60), "to start tracing") { $0.outputText.contains("MS\n") }
      let peers = try ChildProcess.run(
        namespace.command([Peer.python, Privileged.file("peers/lives.py")] + Self.lives), seconds: 90)
      try #require(peers.ending == .exited(0), "\(peers.errorText)")
      ours.send(SIGINT)
      #expect(try ours.wait(until: Deadline(seconds: 60)) == .exited(0))
      #expect(ours.errorText == "")
      let lines = try CSVTable(ours.output).rows.map { TcpstatesLine($0) }

      let ports = Self.ports(peers.outputText)
      let sockets = Set(lines.map(\.socket))
      let (all, lost) = try theirs.finish()
      let wanted = all.filter {
        // It traces the whole machine, and prints a close() in FIN-WAIT-2 as a transition to itself.
        sockets.contains($0.socket) && (ports[$0.localPort] ?? ports[$0.peerPort]) != nil && $0.old != $0.new
      }
      let (missing, durations, off) = compare(lines, wanted, ports)
      // Where the machine is busy it loses some, and says so.
      #expect(missing <= lost, "\(missing) of \(lines.count) lines are ours alone, and it lost \(lost)")
      #expect(missing < lines.count / 4)
      #expect(lines.count > 250 && durations > 50)
      // Two programs stamp the same event, and a busy host may stop the CPU in between.
      #expect(off.count <= durations / 50, "\(off)")
      print(
        "tcpstates: of \(lines.count) lines \(lines.count - missing) equal, \(durations) durations within 1 ms, \(off.count) not; it lost \(lost) events"
      )
    }

    /// Every line of theirs must be one of ours, in the order of each connection.
    ///
    /// - Returns: how many are ours alone, how many durations are equal to 1 ms, and which aren't.
    private func compare(
      _ lines: [TcpstatesLine], _ wanted: [TcpstatesLine], _ ports: [String: String]
    ) -> (missing: Int, durations: Int, off: [String]) {
      var missing = 0
      var durations = 0
      var off: [String] = []
      var rest = wanted
      // A half-open request isn't the socket that it becomes.
      let requests = lines.filter { $0.old == "LISTEN" && $0.new == "SYN_RECV" && !$0.socket.hasPrefix("ffff") }
      for request in requests {
        let index = rest.firstIndex { $0.what == request.what && $0.old == request.old && $0.new == request.new }
        if let index { rest.remove(at: index) } else { missing += 1 }
      }
      let ours = Dictionary(grouping: lines.filter { !requests.contains($0) }, by: \.connection)
      let other = Dictionary(grouping: rest, by: \.connection)
      #expect(Set(other.keys).subtracting(ours.keys) == [])
      for (connection, mine) in ours {
        var theirs = (other[connection] ?? [])[...]
        for line in mine {
          guard let next = theirs.first, next.description == line.description else {
            missing += 1
            continue
          }
          theirs.removeFirst()
          let life = ports[line.localPort] ?? ports[line.peerPort] ?? ""
          guard let difference = difference(line, next, life) else { continue }
          if difference < 1 { durations += 1 } else { off.append("\(life): \(line) by \(difference) ms") }
        }
        #expect(theirs.isEmpty, "ours: \(mine); not among them: \(theirs)")
      }
      return (missing, durations, off)
    }

    /// - Returns: how far the durations are apart, where theirs is right; milliseconds.
    private func difference(_ mine: TcpstatesLine, _ other: TcpstatesLine, _ life: String) -> Double? {
      guard let duration = other.milliseconds, duration > 0 else {
        // It has not seen the beginning; or its table is full, for other traffic of the machine.
        let isFirst = mine.old == "CLOSE" || mine.new == "SYN_RECV"
        #expect(!isFirst || mine.milliseconds == nil || mine.old == "SYN_SENT", "\(life): \(mine)")
        return nil
      }
      guard let own = mine.milliseconds else {
        // A SYN cookie was answered, so nothing was kept of the SYN; or an orphan's FIN-WAIT-2 was shorter than the grain of
        // the minisock's stamp.
        let isOrphan = mine.old == "FIN_WAIT2" && Self.orphaned.contains(life)
        #expect(isOrphan || life == "syn_cookie" && mine.old == "SYN_RECV", "\(life): \(mine)")
        return nil
      }
      let isSwap = mine.old == "FIN_WAIT2" && Self.orphaned.contains(life)
      if isSwap || mine.old == "SYN_RECV" {
        #expect(own > duration - 1, "\(life): \(mine) \(own) \(duration)")
        return nil
      }
      return abs(own - duration)
    }

    /// The life of each port, from "NAME PORT…" lines.
    private static func ports(_ text: String) -> [String: String] {
      var ports: [String: String] = [:]
      for line in text.split(separator: "\n") {
        let words = line.split(separator: " ").map { String($0) }
        for port in words.dropFirst() { ports[port] = words[0] }
      }
      return ports
    }

    /// C-PID is the process that holds the socket, although another process's packets make the transition;
    /// FIN_WAIT2 lasts as long as it really did; -L finds SYN_SENT too.
    @Test func truth() throws {
      let pair = try Pair()
      let tracer = try ChildProcess([
        Tracer.binary, "tcpstates", "-s", "--netns", pair.namespace.path, "--for", "150s", "--time-wait",
      ])
      try tracer.read(until: Deadline(seconds: 60), "to start tracing") { $0.outputText.contains("MS\n") }
      let (port, connected) = try pair.connect("::1")
      let closed = try pair.client.ask("close c")
      try pair.server.ask("eof c")
      Clocks.pass(milliseconds: 300)
      let answered = try pair.server.ask("close c")
      try pair.server.ask("settle \(port)")
      tracer.send(SIGTERM)
      #expect(try tracer.wait(until: Deadline(seconds: 60)) == .exited(0))
      let rows = try CSVTable(tracer.output).rows.map { TcpstatesLine($0) }.filter { $0.localPort != "0" }
      let client = rows.filter { $0.localPort == "\(connected.port)" }
      let server = rows.filter { $0.peerPort == "\(connected.port)" }
      #expect(client.allSatisfy { $0.pid == "\(pair.client.pid)" })
      #expect(server.allSatisfy { $0.pid == "\(pair.server.pid)" })
      let last = try #require(client.last)
      #expect(last.old == "FIN_WAIT2" && last.new == "TIME_WAIT")
      let truth = Double(answered.after - closed.before) / 1e6
      let stay = try #require(last.milliseconds)
      // It begins with the acknowledgement, which may be delayed.
      #expect(stay >= 200 && stay <= truth + 1, "\(stay) of \(truth)")
    }

    @Test func localPort() throws {
      let pair = try Pair()
      let port = try pair.server.ask("listen l 127.0.0.1").port
      let folder = try TemporaryFolder()
      let own = 20_000 + Int.random(in: 0..<9_000)
      let tracer = try ChildProcess([
        Tracer.binary, "tcpstates", "-s", "--localport", "\(own)", "--netns", pair.namespace.path, "--for", "150s",
        "--record", folder.file("record.csv"),
      ])
      try tracer.read(until: Deadline(seconds: 60), "to start tracing") { $0.outputText.contains("MS\n") }
      try pair.client.ask("connect c 127.0.0.1 \(port) 127.0.0.1/\(own)")
      try tracer.read(until: Deadline(seconds: 60), "both steps") { $0.outputText.contains("SYN_SENT,ESTABLISHED") }
      let rows = try CSVTable(tracer.output).rows.map { TcpstatesLine($0) }
      #expect(rows.map { "\($0.old) \($0.new)" } == ["CLOSE SYN_SENT", "SYN_SENT ESTABLISHED"])
      #expect(Set(rows.map(\.localPort)) == ["\(own)"])
      tracer.send(SIGINT)
      #expect(try tracer.wait(until: Deadline(seconds: 60)) == .exited(0))
      let recorded = try CSVTable(TemporaryFolder.bytes(folder.file("record.csv"))).rows
      #expect(recorded.transitions == Life.client, "--record")
    }
  }
}

/// A line of tcpstates, whoever printed it.
private struct TcpstatesLine: CustomStringConvertible, Equatable {
  let socket: String
  let pid: String
  let local: String
  let localPort: String
  let peer: String
  let peerPort: String
  let old: String
  let new: String
  /// `nil` when it is missing.
  let milliseconds: Double?

  init(_ row: CSVTable.Row) {
    self.init(
      socket: row["SKADDR"], pid: row["C-PID"],
      ["LADDR", "LPORT", "RADDR", "RPORT", "OLDSTATE", "NEWSTATE", "MS"].map { row[$0] })
  }

  /// - Parameter table: a line of `tcpstates -T -w`.
  init?(table: Substring) {
    let words = table.split(separator: " ").map { String($0) }
    guard words.count >= 12, words[words.count - 3] == "->", words[0].contains(":") else { return nil }
    let end = Array(words.suffix(8))
    self.init(socket: words[1], pid: words[2], Array(end[0..<5]) + end[6...])
  }

  private init(socket: String, pid: String, _ cells: [String]) {
    self.socket = socket
    self.pid = pid
    // v4-mapped addresses are IPv4 on the wire, and here.
    let mapped = "::ffff:"
    local = cells[0].hasPrefix(mapped) ? String(cells[0].dropFirst(mapped.count)) : cells[0]
    localPort = cells[1]
    peer =
      cells[2].hasPrefix(mapped)
      ? String(cells[2].dropFirst(mapped.count)) : cells[0].hasPrefix(mapped) && cells[2] == "::" ? "0.0.0.0" : cells[2]
    peerPort = cells[3]
    old = cells[4]
    new = cells[5]
    milliseconds = Double(cells[6])
  }

  /// The same kernel socket may be another connection's later.
  var connection: String { "\(socket) \(what)" }
  var what: String { "\(local):\(localPort) \(peer):\(peerPort)" }
  var description: String { "\(socket) \(what) \(old) -> \(new)" }
}

/// Debian's tcpstates over the whole machine.
private final class LibbpfTcpstates {
  /// Line buffering, so that one sees when it has begun; and tracefs, in a mount namespace of its own.
  private static let script = """
    test -d /sys/kernel/tracing/events || mount -t tracefs tracefs /sys/kernel/tracing
    exec stdbuf -oL /usr/sbin/tcpstates -T -w
    """
  private let folder: TemporaryFolder
  private let process: ChildProcess

  init() throws {
    folder = try TemporaryFolder()
    // Not into a pipe: it would wait for the reader, and lose what happens meanwhile.
    process = try ChildProcess(
      ["unshare", "-m", "sh", "-c", Self.script], output: .file(folder.file("theirs")))
    let deadline = Deadline(seconds: 60)
    while try !text().contains("NEWSTATE") {
      guard !deadline.hasPassed else { throw TestFailure("tcpstates doesn't start: \(process.errorText)") }
      Clocks.pass(milliseconds: 1)
    }
  }

  private func text() throws -> String {
    String(decoding: try TemporaryFolder.bytes(folder.file("theirs")), as: UTF8.self)
  }

  /// - Returns: its lines, and how many events it says it lost.
  func finish() throws -> (lines: [TcpstatesLine], lost: Int) {
    process.send(SIGINT)
    try process.wait(until: Deadline(seconds: 60))
    let losses = process.errorLines.compactMap { line in
      line.hasPrefix("lost ") ? Int(line.split(separator: " ")[1]) : nil
    }
    let lines = try text().split(separator: "\n").compactMap { TcpstatesLine(table: $0) }
    return (lines, losses.reduce(0, +))
  }
}
