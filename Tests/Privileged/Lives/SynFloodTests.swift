// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

extension Privileged {
  /// SYNs from addresses that don't answer, as an attacker sends them.
  @Suite struct SynFloodTests {
    /// A namespace with a listener, and addresses of which no SYN-ACK comes back.
    private struct Target {
      let namespace: NetworkNamespace
      let listener: Peer
      let client: Peer
      let port: Int

      init(backlog: Int) throws {
        namespace = try NetworkNamespace()
        (listener, client) = (try Privileged.peer(in: namespace), try Privileged.peer(in: namespace))
        // All of the network is this namespace's own, but no SYN-ACK comes in there.
        try Self.run(namespace, ["ip", "address", "add", "10.8.0.1/16", "dev", "lo"])
        try Self.run(
          namespace,
          [
            "nft",
            """
            table inet flood { chain input { type filter hook input priority 0; \
            ip daddr 10.8.0.0/16 tcp flags & (syn|ack) == (syn|ack) drop; }; }
            """,
          ])
        // Given up after two SYN-ACKs, which takes three seconds.
        try Self.run(namespace, ["sh", "-c", "echo 1 > /proc/sys/net/ipv4/tcp_synack_retries"])
        port = try listener.ask("listen l 127.0.0.1 0 \(backlog)").port
      }

      private static func run(_ namespace: NetworkNamespace, _ command: [String]) throws {
        let process = try ChildProcess.run(namespace.command(command))
        guard process.ending == .exited(0) else { throw TestFailure("\(command): \(process.errorText)") }
      }

      func flood(_ count: Int) throws { try client.ask("flood 127.0.0.1 \(port) 10.8.1.0 \(count)") }

      /// One connection from its handshake to its last state, by the client first.
      ///
      /// - Returns: what the client did to connect, with its port.
      @discardableResult
      func connectAndClose(_ name: String) throws -> Peer.Answer {
        let connected = try client.ask("connect \(name) 127.0.0.1 \(port)")
        try listener.ask("accept l \(name)")
        try client.ask("shutdown \(name)")
        try listener.ask("eof \(name)")
        try listener.ask("close \(name)")
        try client.ask("eof \(name)")
        try client.ask("close \(name)")
        return connected
      }
    }

    private static func ofFlood(_ row: CSVTable.Row) -> Bool { row["peer_address"].hasPrefix("10.8.") }

    /// More half-open requests than may be tracked: memory isn't taken, it says so, and other connections
    /// are still shown.
    @Test func requestsBeyondTheLimit() throws {
      let target = try Target(backlog: 1000)
      let tracer = try Tracer(["--max-connections", "50", "--strict"], of: target.namespace)
      try target.flood(500)
      try target.client.ask("requests \(target.port) 500")
      try tracer.process.read(until: Deadline(seconds: 60), "word of it") { $0.errorText.contains("--max-connections") }
      for number in 1...5 { try target.connectAndClose("during\(number)") }
      try tracer.wait(for: ["last_ack→closed": 5, "fin_wait_2→time_wait": 5, "listen→syn_received": 49 + 5])
      // They end by themselves, and then there is room again.
      try target.client.ask("requests \(target.port) 0")
      try tracer.wait(for: ["syn_received→closed": 49])
      let after = try target.connectAndClose("after")
      try tracer.wait(for: ["last_ack→closed": 6, "fin_wait_2→time_wait": 6])
      #expect(try tracer.stop() == .exited(3), "\(tracer.process.errorText)")

      let lives = try tracer.rows().filter(Self.ofFlood).byConnection
      #expect(lives.count == 49, "as many as fit with the listener")
      for life in lives {
        #expect(life.transitions == ["listen→syn_received", "syn_received→closed"])
        #expect(life.last?["reason"] == "timeout" && life.last?["role"] == "server")
      }
      let others = try tracer.rows().filter { !Self.ofFlood($0) && $0["role"] != "listener" }
      #expect(others.withoutTimeWaitEnds.count == 6 * 10, "every transition of every connection")
      for life in others.byConnection {
        let isServer = life[0]["local_port"] == "\(target.port)"
        // Which end one is isn't always known where nothing of it is kept.
        #expect(life.allSatisfy { ["unknown", isServer ? "server" : "client"].contains($0["role"]) })
        #expect(
          life.withoutTimeWaitEnds.transitions
            == (isServer ? Life.server + Life.passiveClose : Life.client + Life.activeClose))
      }
      let port = "\(after.port)"
      let last = others.filter { $0["local_port"] == port || $0["peer_port"] == port }
      let stays = last.filter { !["closed", "listen"].contains($0["state_old"]) }
      #expect(!stays.isEmpty && stays.allSatisfy { $0["duration_kind"] == "exact" }, "there is room again")
      #expect(tracer.process.errorLines.count { $0.contains("--max-connections") } == 1)
      #expect(tracer.process.errorText.contains(", 0 lost, 0 unmatched"), "\(tracer.process.errorText)")
    }

    /// More than the backlog: the kernel keeps nothing of them but cookies, and so don't we.
    @Test func requestsBeyondTheBacklog() throws {
      let target = try Target(backlog: 16)
      let tracer = try Tracer(["--strict"], of: target.namespace)
      try target.flood(5000)
      for number in 1...5 { try target.connectAndClose("c\(number)") }
      try target.client.ask("requests \(target.port) 0")
      try tracer.wait(for: ["last_ack→closed": 5, "fin_wait_2→time_wait": 5])
      #expect(try tracer.stop() == .exited(0), "\(tracer.process.errorText)")
      let lives = try tracer.rows().filter(Self.ofFlood).byConnection
      #expect((1...17).contains(lives.count), "as many as the backlog takes")
      #expect(lives.allSatisfy { $0.transitions == ["listen→syn_received", "syn_received→closed"] })
      let others = try tracer.rows().filter { !Self.ofFlood($0) && $0["role"] != "listener" }
      #expect(others.withoutTimeWaitEnds.count == 5 * 10)
    }
  }
}
