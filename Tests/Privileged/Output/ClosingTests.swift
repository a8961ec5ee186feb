// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

extension Privileged {
  /// Both orders of closing, over each kind of addresses.
  @Suite struct ClosingTests {
    enum Addresses: String, CaseIterable {
      case ipv4 = "127.0.0.1"
      case ipv6 = "::1"
      case mapped = "::ffff:127.0.0.1"

      /// As it is on the wire.
      var shown: String { self == .ipv6 ? "::1" : "127.0.0.1" }
      var type: String { self == .ipv6 ? "ipv6" : "ipv4" }
    }

    enum First: CaseIterable { case client, server }

    @Test(arguments: Addresses.allCases, First.allCases)
    func orderlyClose(_ addresses: Addresses, _ first: First) throws {
      let pair = try Pair()
      let tracer = try Tracer(of: pair.namespace)
      let (port, connected) = try pair.connect(addresses.rawValue)
      try pair.client.ask("send c 100")
      try pair.server.ask("receive c 100")
      try pair.server.ask("send c 48")
      try pair.client.ask("receive c 48")
      let (one, other) = first == .client ? (pair.client, pair.server) : (pair.server, pair.client)
      let closed = try one.ask("close c")
      try other.ask("eof c")
      try other.ask("close c")
      try tracer.wait(for: ["last_ack→closed": 1, "fin_wait_2→time_wait": 1])
      let rows = try tracer.finish().filter { $0["role"] != "listener" }

      let connections = rows.withoutTimeWaitEnds.byConnection
      #expect(connections.count == 2)
      let client = rows.withoutTimeWaitEnds.role("client")
      let server = rows.withoutTimeWaitEnds.role("server")
      #expect(client.transitions == Life.client + (first == .client ? Life.activeClose : Life.passiveClose))
      #expect(server.transitions == Life.server + (first == .client ? Life.passiveClose : Life.activeClose))
      check(client, of: pair.client, addresses, localPort: connected.port, peerPort: port)
      check(server, of: pair.server, addresses, localPort: port, peerPort: connected.port)
      checkCounters(client: client, server: server)
      #expect(client.last?["closer"] == (first == .client ? "active" : "passive"))
      #expect(server.last?["closer"] == (first == .client ? "passive" : "active"))

      // The active end's stay, between what the process measured around its calls.
      let active = first == .client ? client : server
      let stay = try #require(active.first { $0["state_old"] == "established" }?.number("state_duration_ns"))
      #expect(stay <= closed.after - connected.before)
      if first == .client { #expect(stay >= closed.before - connected.after) }
    }

    private func check(
      _ rows: [CSVTable.Row], of peer: Peer, _ addresses: Addresses, localPort: Int, peerPort: Int
    ) {
      for row in rows {
        #expect(row["source"] == "event" || row.transition == "fin_wait_2→time_wait")
        #expect(row["network_type"] == addresses.type)
        #expect(row["local_port"] == "\(localPort)" || row["state_new"] == "syn_sent")
        #expect(row["peer_address"] == addresses.shown)
        #expect(row["peer_port"] == "\(peerPort)")
        #expect(row["process_pid"] == "\(peer.pid)", "\(row.transition)")
        #expect(row["process_name"] == "python3")
        #expect(row["user_id"] == "0")
        #expect(["", "\(peer.pid)"].contains(row["actor_pid"]), "\(row.transition)")
        #expect(row["actor_name"] == (row["actor_pid"].isEmpty ? "" : "python3"))
        if row["state_old"] == "closed" || row["state_old"] == "listen" {
          #expect(row["state_duration_ns"] == "" && row["duration_kind"] == "")
        } else {
          #expect(row["duration_kind"] == "exact", "\(row.transition)")
          #expect(row.number("state_duration_ns") != nil)
        }
        #expect(row["reason"] == (["closed", "time_wait"].contains(row["state_new"]) ? "fin" : ""))
        #expect(row["timestamp"].hasSuffix("Z") && row["timestamp"].utf8.count == 30)
      }
      let acted = Set(rows.filter { !$0["actor_pid"].isEmpty }.transitions)
      for transition in rows.transitions
      where ["closed", "established", "close_wait"].contains(transition.prefix { $0 != "→" }) {
        let byNetwork = transition == "established→close_wait"
        #expect(acted.contains(transition) == !byNetwork, "\(transition)")
      }
    }

    private func checkCounters(client: [CSVTable.Row], server: [CSVTable.Row]) {
      #expect(client.last?["bytes_sent"] == "100")
      #expect(client.last?["bytes_received"] == "48")
      #expect(server.last?["bytes_sent"] == "48")
      #expect(server.last?["bytes_received"] == "100")
      #expect(client.last?["retransmits"] == "0")
      let established = client.first { $0["state_new"] == "established" }
      #expect(established?["initial_send_sequence"] != "")
      #expect(client.last?["initial_send_sequence"] == server.last?["initial_receive_sequence"])
      #expect(client.last?["initial_receive_sequence"] == server.last?["initial_send_sequence"])
      #expect(client.last?["initial_send_sequence"] == established?["initial_send_sequence"])
    }

    /// Numbered 1, 2, 3 … and in the order of time.
    @Test func sequenceAndTime() throws {
      let pair = try Pair()
      let tracer = try Tracer(of: pair.namespace)
      let begin = Clocks.realtime()
      try pair.client.ask("churn 127.0.0.1 50")
      try tracer.wait(for: ["last_ack→closed": 50])
      let rows = try tracer.finish()
      #expect(rows.compactMap { $0.number("sequence") } == (1...UInt64(rows.count)).map { $0 })
      let times = rows.withoutTimeWaitEnds.compactMap { $0.number("timestamp_unix_nano") }
      #expect(times == times.sorted())
      #expect(try #require(times.first) >= begin - 1_000_000 && #require(times.last) <= Clocks.realtime())
      #expect(tracer.process.errorText.contains("0 lost, 0 unmatched"))
    }

    /// Between two namespaces, over a wire: one connection, two ends.
    @Test func acrossNamespaces() throws {
      let left = try NetworkNamespace()
      let right = try NetworkNamespace()
      try left.connect(to: right)
      let client = try Privileged.peer(in: left)
      let server = try Privileged.peer(in: right)
      let port = try server.ask("listen l :: ").port
      let tracer = try Tracer(["--remote-port", "\(port)"], of: left)
      try client.ask("connect c 2001:db8:9::2 \(port)")
      try server.ask("accept l c")
      try server.ask("close c")
      try client.ask("eof c")
      try client.ask("close c")
      try tracer.wait(for: ["last_ack→closed": 1])
      let rows = try tracer.finish()
      #expect(rows.transitions == Life.client + Life.passiveClose)
      for row in rows {
        #expect(row["netns"] == "\(left.inode)")
        #expect(row["peer_address"] == "2001:db8:9::2")
        #expect(row["process_pid"] == "\(client.pid)")
      }
    }
  }
}
