// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

extension Privileged {
  /// Processes may be called anything.
  @Suite struct HostileNameTests {
    private static let names = [
      "a,b\"c", "=1+1", "two\nlines", "\u{1b}[2Jgone", "cr\r\ttab", "-- ; rm", "'\"'", "exactly15bytes!",
    ]

    /// A connection by a process of each name.
    private func traffic(_ options: [String]) throws -> Tracer {
      let namespace = try NetworkNamespace()
      let server = try Privileged.peer(in: namespace)
      let port = try server.ask("listen l 127.0.0.1").port
      let tracer = try Tracer(options, of: namespace)
      for name in Self.names {
        let client = try Privileged.peer(in: namespace)
        try client.ask("comm \(name.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())")
        try client.ask("connect c 127.0.0.1 \(port)")
        try server.ask("accept l c")
        try client.ask("close c")
        try server.ask("eof c")
        try server.ask("close c")
      }
      try server.ask("settle \(port)")
      try tracer.stop()
      return tracer
    }

    @Test func csv() throws {
      let tracer = try traffic([])
      let table = try CSVTable(tracer.process.output)
      #expect(!table.isCut)
      let opened = table.rows.filter { $0.transition == "closed→syn_sent" }
      #expect(opened.map { $0["process_name"] } == Self.names)
      #expect(opened.map { $0["actor_name"] } == Self.names)
    }

    @Test func jsonLines() throws {
      let tracer = try traffic(["--format", "jsonl"])
      #expect(tracer.process.output.allSatisfy { $0 >= 0x20 || $0 == 0x0a })
      var names: [String] = []
      for line in tracer.process.outputText.split(separator: "\n") {
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        guard object["network.connection.state"] as? String == "syn_sent" else { continue }
        names.append(try #require(object["process.executable.name"] as? String))
        #expect(object["process.pid"] is Int)
        #expect(object["timestamp_unix_nano"] is String, "64 bits")
      }
      #expect(names == Self.names)
    }

    @Test func table() throws {
      let tracer = try traffic(["--format", "table"])
      #expect(tracer.process.output.allSatisfy { $0 >= 0x20 || $0 == 0x0a })
      let lines = tracer.process.outputText.split(separator: "\n")
      #expect(lines.count { $0.contains("CLOSED → SYN-SENT") } == Self.names.count, "one line per transition")
      #expect(tracer.process.outputText.contains("\\x1b"))
    }
  }
}
