// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

extension Privileged {
  /// Which process holds a socket, and which one acted.
  @Suite struct OwnerTests {
    /// Many connections both ways at once on both CPUs: never the other one's PID.
    @Test func neverThePeers() throws {
      let pair = try Pair()
      let port = try pair.server.ask("listen l 127.0.0.1").port
      let tracer = try Tracer(of: pair.namespace)
      try pair.client.ask("comm \(hex("client"))")
      try pair.server.ask("comm \(hex("server"))")
      for _ in 0..<40 {
        try pair.client.start("connect c 127.0.0.1 \(port)")
        try pair.server.ask("accept l c")
        _ = try pair.client.answer()
        try pair.client.start("close c")
        try pair.server.ask("eof c")
        try pair.server.ask("close c")
        _ = try pair.client.answer()
      }
      try tracer.wait(for: ["last_ack→closed": 40, "fin_wait_2→time_wait": 40])
      let rows = try tracer.finish()
      for row in rows where row["role"] != "listener" {
        let own = row["role"] == "client" ? pair.client.pid : pair.server.pid
        #expect(row["process_pid"] == "\(own)", "\(row["role"]) \(row.transition)")
        #expect(["", "\(own)"].contains(row["actor_pid"]), "\(row["role"]) \(row.transition)")
      }
      // Renamed before they connected; the listener's children have its name at listen().
      #expect(Set(rows.role("client").map { $0["process_name"] }) == ["client"])
    }

    /// One process listens, another serves: the reader is the owner.
    @Test func descriptorHandedOn() throws {
      let namespace = try NetworkNamespace()
      let client = try Privileged.peer(in: namespace)
      let tracer = try Tracer(of: namespace)
      let server = try ChildProcess(namespace.command([Peer.python, Privileged.file("peers/prefork.py")]))
      try server.read(until: Deadline(seconds: 60), "the port") { $0.output.contains(0x0a) }
      let words = server.outputText.split(whereSeparator: \.isWhitespace)
      let (port, child) = (String(words[0]), String(words[1]))
      try client.ask("connect c 127.0.0.1 \(port)")
      try client.ask("send c 10")
      try client.ask("receive c 10")
      try client.ask("close c")
      try tracer.wait(for: ["last_ack→closed": 1])
      server.closeInput()
      try server.wait(until: Deadline(seconds: 60))
      let rows = try tracer.finish().role("server")
      for row in rows where !["listen", "syn_received"].contains(row["state_old"]) {
        #expect(row["process_pid"] == child, "\(row.transition)")
      }
      #expect(rows.first { $0["state_old"] == "close_wait" }?["actor_pid"] == child)
    }

    private func hex(_ text: String) -> String {
      text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
  }
}
