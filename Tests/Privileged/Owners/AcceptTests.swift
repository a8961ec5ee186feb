// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

/// A server of whose connections another process takes possession than the one that listens.
private final class Accepting {
  let process: ChildProcess
  let port: String
  let listener: String

  init(_ how: String, _ address: String = "127.0.0.1", in namespace: NetworkNamespace, wrapper: [String] = []) throws {
    process = try ChildProcess(
      namespace.command(wrapper + [Peer.python, Privileged.file("peers/accepting.py"), how, address]))
    try process.read(until: Deadline(seconds: 60), "the port") { $0.output.contains(0x0a) }
    let words = process.outputText.split(whereSeparator: \.isWhitespace)
    (port, listener) = (String(words[0]), String(words[1]))
  }

  /// Who has each connection, by its peer's port, once there are that many.
  func holders(_ count: Int) throws -> [String: String] {
    try process.read(until: Deadline(seconds: 60), "\(count) connections") { $0.output.count { $0 == 0x0a } > count }
    var holders: [String: String] = [:]
    for line in process.outputText.split(separator: "\n").dropFirst() {
      let words = line.split(separator: " ")
      holders[String(words[0])] = String(words[1])
    }
    return holders
  }

  func finish() throws {
    process.closeInput()
    try process.wait(until: Deadline(seconds: 60))
  }
}

extension Privileged {
  /// Which process has a connection, where that isn't the one that listens.
  @Suite struct AcceptTests {
    private static let count = 6

    /// The latest row of each of the server's connections, by its peer's port.
    private static func latest(_ rows: [CSVTable.Row]) -> [String: CSVTable.Row] {
      var latest: [String: CSVTable.Row] = [:]
      for row in rows.role("server") { latest[row["peer_port"]] = row }
      return latest
    }

    /// No row takes another process for the holder than the one that has the connection; the listener's owner may be
    /// named until that is known.
    ///
    /// - Parameter listener: `nil` if each connection is its listener's, whichever it came to.
    private static func check(_ rows: [CSVTable.Row], _ holders: [String: String], _ listener: String?) {
      for row in rows.role("server") {
        let holder = holders[row["peer_port"]]
        if row["owner_kind"] == "inherited" {
          #expect([listener ?? holder, ""].contains(row["process_pid"]), "\(row.transition)")
        } else {
          #expect(row["process_pid"] == holder, "\(row.transition) \(row["owner_kind"])")
        }
      }
    }

    /// Open connections: within a second a row says whose they are.
    @Test(arguments: ["holds", "reads", "forks", "passes", "shares", "threads"])
    func whoHasIt(_ how: String) throws {
      let namespace = try NetworkNamespace()
      let client = try Privileged.peer(in: namespace)
      let server = try Accepting(how, in: namespace)
      let tracer = try Tracer(of: namespace)
      for index in 0..<Self.count {
        try client.ask("connect c\(index) 127.0.0.1 \(server.port)")
        try client.ask("send c\(index) 10")
      }
      let holders = try server.holders(Self.count)
      #expect(how == "threads" || !holders.values.contains(server.listener))
      try tracer.wait("whose they are") { rows in
        let latest = Self.latest(rows)
        return latest.count == Self.count
          && latest.values.allSatisfy { ["holder", "reader"].contains($0["owner_kind"]) }
      }
      let rows = try tracer.finish()
      Self.check(rows, holders, how == "shares" ? nil : server.listener)
      // Not a second late, as far as the machine lets it.
      for (_, row) in Self.latest(rows) {
        let start = rows.role("server").first { $0["connection_id"] == row["connection_id"] }?["timestamp_unix_nano"]
        let taken = (Int(row["timestamp_unix_nano"]) ?? 0) - (start.flatMap { Int($0) } ?? 0)
        #expect(taken < 3_000_000_000, "\(taken) ns")
      }
      try server.finish()
    }

    /// Whoever closes it without having read has had it.
    @Test(arguments: ["closes", "unread"])
    func closesWithoutReading(_ how: String) throws {
      let namespace = try NetworkNamespace()
      let client = try Privileged.peer(in: namespace)
      let server = try Accepting(how, in: namespace)
      let tracer = try Tracer(of: namespace)
      for index in 0..<Self.count {
        try client.ask("connect c\(index) 127.0.0.1 \(server.port)")
        if how == "unread" { try client.ask("send c\(index) 10") }
      }
      let holders = try server.holders(Self.count)
      let end = how == "unread" ? "established→closed" : "established→fin_wait_1"
      try tracer.wait("them to be closed") { rows in
        rows.role("server").count { $0.transition == end } == Self.count
      }
      let rows = try tracer.finish()
      Self.check(rows, holders, server.listener)
      for row in rows.role("server") where row.transition == end {
        #expect(row["process_pid"] == holders[row["peer_port"]] && row["owner_kind"] == "holder")
        #expect(row["actor_pid"] == row["process_pid"])
      }
      try server.finish()
    }

    /// A filter by the process finds them from their first transition on, and only it.
    @Test(arguments: ["holds", "reads", "passes"])
    func filterByProcess(_ how: String) throws {
      let namespace = try NetworkNamespace()
      let client = try Privileged.peer(in: namespace)
      let server = try Accepting(how, in: namespace)
      try client.ask("connect first 127.0.0.1 \(server.port)")
      if how == "reads" { try client.ask("send first 10") }
      let worker = try #require(try server.holders(1).values.first)
      let tracer = try Tracer(["--pid", worker], of: namespace)
      for index in 0..<Self.count {
        try client.ask("connect c\(index) 127.0.0.1 \(server.port)")
        if how == "reads" { try client.ask("send c\(index) 10") }
      }
      try tracer.wait(for: ["listen→syn_received": Self.count, "syn_received→established": Self.count], seconds: 10)
      let rows = try tracer.finish()
      #expect(rows.allSatisfy { $0["process_pid"] == worker && $0["owner_kind"] != "inherited" })
      try server.finish()
    }

    /// What a recording says at its end: the holder's sockets.
    @Test func recorded() throws {
      let namespace = try NetworkNamespace()
      let client = try Privileged.peer(in: namespace)
      let server = try Accepting("holds", in: namespace)
      let path = FileManager.default.temporaryDirectory.path + "/accepted-\(getpid()).csv"
      defer { unlink(path) }
      let tracer = try Tracer(["--record", path], of: namespace)
      for index in 0..<Self.count {
        try client.ask("connect c\(index) 127.0.0.1 \(server.port)")
        try client.ask("close c\(index)")
      }
      let worker = try #require(try server.holders(Self.count).values.first)
      try tracer.wait("their owners") { rows in
        let latest = Self.latest(rows)
        return latest.count == Self.count && latest.values.allSatisfy { $0["owner_kind"] == "holder" }
      }
      _ = try tracer.finish()
      let stuck = try ChildProcess([
        Tracer.binary, "stuck", "--read", path, "--older-than", "0s", "--format", "csv",
      ])
      #expect(try stuck.wait(until: Deadline(seconds: 60)) == .exited(1))
      let found = try CSVTable(stuck.output).rows
      #expect(found.count == Self.count)
      #expect(found.allSatisfy { $0["process_pid"] == worker && $0["owner_kind"] == "holder" })
      let summary = try ChildProcess([
        Tracer.binary, "summary", "--read", path, "--by", "process", "--format", "csv",
      ])
      #expect(try summary.wait(until: Deadline(seconds: 60)) == .exited(0))
      let open = try CSVTable(summary.output).rows.filter { $0["state"] == "close_wait" }
      #expect(open.map { $0["open_now"] } == ["\(Self.count)"])
      try server.finish()
    }

    /// Filters that leave the listener out still know its owner, and don't show it.
    @Test(arguments: [
      ["-4"], ["--local", "127.0.0.0/8"], ["--peer", "127.0.0.0/8"], ["-4", "--local", "127.0.0.0/8"],
    ])
    func filtersWithoutTheListener(_ filter: [String]) throws {
      let pair = try Pair()
      for existing in [true, false] {
        let address = filter[0] == "-4" ? "::" : "0.0.0.0"
        var port = existing ? try pair.server.ask("listen l \(address)").port : 0
        let tracer = try Tracer(filter + ["--process", "python3"], of: pair.namespace)
        if !existing { port = try pair.server.ask("listen m \(address)").port }
        try pair.client.ask("connect c 127.0.0.1 \(port)")
        try tracer.wait(for: ["syn_received→established": 1])
        let rows = try tracer.finish()
        #expect(Set(rows.role("server").map { $0["process_pid"] }) == ["\(pair.server.pid)"])
        #expect(rows.role("server").map { $0["owner_kind"] }.prefix(2) == ["inherited", "inherited"])
        #expect(rows.role("listener").isEmpty)
        try pair.client.ask("close c")
        try pair.server.ask("close \(existing ? "l" : "m")")
      }
    }

    /// The holder's cgroup counts, too: a listener that was made elsewhere and handed over.
    @Test(.enabled(if: Privilege.cgroupMount != nil, "needs a cgroup v2 mount"), arguments: ["before", "after"])
    func cgroupOfTheHolder(_ start: String) throws {
      let mount = try #require(Privilege.cgroupMount)
      let path = "\(mount)/tcpstate-holder-\(getpid())"
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      defer { rmdir(path) }
      do {
        let pair = try Pair()
        let port = try pair.server.ask("listen l 127.0.0.1").port
        let move = {
          try "\(pair.server.pid)".write(toFile: path + "/cgroup.procs", atomically: false, encoding: .utf8)
        }
        if start == "before" { try move() }
        let tracer = try Tracer(["--cgroup", path], of: pair.namespace)
        if start == "after" {
          try move()
          // Its listener is looked at within about a second.
          try tracer.wait("the listener", seconds: 10) { rows in !rows.role("listener").isEmpty }
        }
        try pair.client.ask("connect c 127.0.0.1 \(port)")
        try pair.server.ask("accept l c")
        try pair.close(first: pair.client, then: pair.server)
        try tracer.wait(for: ["last_ack→closed": 1])
        let rows = try tracer.finish()
        #expect(rows.role("server").transitions == Life.server + Life.passiveClose)
        #expect(rows.role("client").isEmpty)

        try pair.client.ask("connect d 127.0.0.1 \(port)")
        try pair.server.ask("accept l d")
        try pair.client.ask("connect waiting 127.0.0.1 \(port)")
        let stuck = try ChildProcess([
          Tracer.binary, "stuck", "--state", "established", "--older-than", "0s", "--cgroup", path, "--format", "csv",
        ])
        #expect(try stuck.wait(until: Deadline(seconds: 60)) == .exited(1))
        let verdicts = try CSVTable(stuck.output).rows.map { $0["verdict"] }.sorted()
        #expect(verdicts == ["held", "unaccepted"])
      }
    }
  }
}
