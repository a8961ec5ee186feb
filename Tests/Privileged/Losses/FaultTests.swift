// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

extension Privileged {
  /// What goes wrong around the tracer, and what it says and does then; docs/FAULTS.md lists all.
  @Suite struct FaultTests {
    /// Stopped under load, it loses events; it counts each, and afterwards knows of every socket what `ss` knows.
    @Test func stoppedUnderLoad() throws {
      let pair = try Pair()
      let load = try Privileged.peer(in: pair.namespace)
      let tracer = try Tracer(["--buffer", "64K"], of: pair.namespace)
      let port = try pair.server.ask("listen l 127.0.0.1").port
      for name in ["a", "b", "c"] { try connect(pair, name, port) }
      // However fast it runs, and whatever of it is lost, it goes on until a row has come and the tracer stands still.
      try load.start("churn 127.0.0.1 until-next")
      try tracer.wait("the load", seconds: 60) { $0.contains { $0.transition == "last_ack→closed" } }
      try tracer.pause()
      try load.start("churn 127.0.0.1 1000")
      let churned = try load.answer(seconds: 60)
      let before = try #require(churned.values["made"].flatMap { Int($0) })
      // Forty times what the buffer holds.
      try load.answer(seconds: 60)
      // The buffer is full, so nothing reports these.
      try pair.client.ask("shutdown a")
      try pair.client.ask("shutdown b")
      try pair.server.ask("close b")
      try pair.server.ask("shutdown c")
      try connect(pair, "d", port)
      tracer.process.send(SIGCONT)
      try tracer.wait("the tables to be read again", seconds: 30) { rows in
        let states = Self.lastStates(rows)
        return ["fin_wait_2": 2, "close_wait": 2].allSatisfy { wanted in
          states.values.count { $0 == wanted.key } == wanted.value
        } && !states.values.contains("established")
      }
      let truth = try Self.sockets(in: pair.namespace)
      #expect(try tracer.stop() == .exited(0))

      let rows = try tracer.rows()
      // Three listeners, one of them closed; a, b, c, d; the load; what was done to a, b and c.
      let made = 3 + 1 + 4 * 4 + (before + 1000) * 10 + 3 + 6 + 3
      let lost = try #require(tracer.reportedLoss, "\(tracer.process.errorText)")
      #expect(lost > 9_000)
      #expect(rows.count { $0["source"] == "event" } + lost == made, "\(tracer.process.errorText)")
      #expect(Self.openNow(tracer) == Dictionary(grouping: truth.values, by: \.self).mapValues(\.count))
      // Those that events reported, each by itself.
      for (socket, state) in Self.lastStates(rows) where state != "closed" {
        #expect(truth[socket] == state, "\(socket)")
      }
    }

    private func connect(_ pair: Pair, _ name: String, _ port: Int) throws {
      try pair.client.ask("connect \(name) 127.0.0.1 \(port)")
      try pair.server.ask("accept l \(name)")
    }

    /// By `local:port peer:port`, the state that the last row of each connection leads to.
    private static func lastStates(_ rows: [CSVTable.Row]) -> [String: String] {
      var states: [String: String] = [:]
      for life in rows.filter({ $0["role"] != "listener" }).byConnection {
        guard let row = life.last else { continue }
        let ends = [("local_address", "local_port"), ("peer_address", "peer_port")]
        states[ends.map { "\(row[$0.0]):\(row[$0.1])" }.joined(separator: " ")] = row["state_new"]
      }
      return states
    }

    /// The same by `ss`, listeners too.
    private static func sockets(in namespace: NetworkNamespace) throws -> [String: String] {
      let names = [
        "ESTAB": "established", "LISTEN": "listen", "TIME-WAIT": "time_wait", "CLOSE-WAIT": "close_wait",
        "FIN-WAIT-1": "fin_wait_1", "FIN-WAIT-2": "fin_wait_2", "LAST-ACK": "last_ack", "CLOSING": "closing",
        "SYN-SENT": "syn_sent", "SYN-RECV": "syn_received",
      ]
      let ss = try ChildProcess.run(namespace.command(["ss", "-tanH"]))
      guard ss.ending == .exited(0) else { throw TestFailure("ss: \(ss.errorText)") }
      var sockets: [String: String] = [:]
      for line in ss.outputText.split(separator: "\n") {
        let words = line.split(separator: " ")
        sockets["\(words[3]) \(words[4])"] = names[String(words[0]), default: String(words[0])]
      }
      return sockets
    }

    /// The table at the end: by state, what it takes to be open.
    private static func openNow(_ tracer: Tracer) -> [String: Int] {
      var counts: [String: Int] = [:]
      for line in tracer.process.errorLines.drop(while: { !$0.hasSuffix("OPEN NOW") }).dropFirst() {
        let words = line.split(separator: " ")
        guard let last = words.last, let count = Int(last.filter { $0 != "," }), words.count > 5 else { break }
        let state = words[0].lowercased().replacingOccurrences(of: "-", with: "_")
        if count > 0 { counts[state] = count }
      }
      return counts
    }

    /// A disk that fills up: what is in the file are whole rows, and the exit status says so.
    @Test func diskFillsUp() throws {
      let namespace = try NetworkNamespace()
      let peer = try Privileged.peer(in: namespace)
      let disk = try SmallDisk(bytes: 128 * 1024)
      let tracer = try Tracer(["--output", disk.file("rows.csv")], of: namespace)
      try peer.ask("churn 127.0.0.1 100")
      #expect(try tracer.process.wait(until: Deadline(seconds: 60)) == .exited(74))
      #expect(tracer.process.errorText.contains("No space left on device"))
      let table = try CSVTable(TemporaryFolder.bytes(disk.file("rows.csv")))
      #expect(table.rows.count > 100)
      #expect(!table.isCut, "a row is cut")
      #expect(table.rows.compactMap { $0.number("sequence") } == (1...UInt64(table.rows.count)).map { $0 })
    }

    /// A namespace that goes away with all its sockets, TIME-WAIT's too.
    @Test func namespaceDeleted() throws {
      var namespace: NetworkNamespace? = try NetworkNamespace()
      let inode = try #require(namespace?.inode)
      let tracer: Tracer
      do {
        let peer = try Privileged.peer(in: try #require(namespace))
        tracer = try Tracer(["--netns", "\(inode)"], of: nil)
        let port = try peer.ask("listen l 127.0.0.1").port
        try peer.ask("connect c 127.0.0.1 \(port)")
        try peer.ask("churn 127.0.0.1 20")
        try tracer.wait(for: ["fin_wait_2→time_wait": 20, "last_ack→closed": 20, "syn_received→established": 21])
      }
      // The peer is gone, and so are its sockets; now the namespace.
      namespace = nil
      try tracer.wait(for: ["listen→closed": 2])
      #expect(try tracer.stop() == .exited(0))
      #expect(Self.openNow(tracer).isEmpty, "\(tracer.process.errorText)")
      #expect(tracer.process.errorText.contains("0 lost"))
      let ends = try tracer.rows().filter { $0.transition == "time_wait→closed" }
      #expect(ends.count >= 20)
      for end in ends {
        #expect(end["source"] == "derived" && end["duration_kind"] != "exact")
        #expect(end["reason"] == "unknown", "no RST came: \(end["reason"])")
      }
    }
  }
}

/// A file system of a few pages; unmounted with this value.
final class SmallDisk {
  private let folder: TemporaryFolder

  init(bytes: Int) throws {
    folder = try TemporaryFolder()
    let mount = try ChildProcess.run(["mount", "-t", "tmpfs", "-o", "size=\(bytes)", "tmpfs", folder.path])
    guard mount.ending == .exited(0) else { throw TestFailure("mount: \(mount.errorText)") }
  }

  deinit { _ = try? ChildProcess.run(["umount", "-l", folder.path]) }

  func file(_ name: String) -> String { folder.file(name) }
}
