// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

extension Privileged {
  /// Lives that aren't the textbook's.
  @Suite struct AbruptTests {
    @Test func linger0() throws {
      let pair = try Pair()
      let tracer = try Tracer(of: pair.namespace)
      try pair.connect()
      try pair.client.ask("reset c")
      try tracer.wait(for: ["established→closed": 2])
      let rows = try tracer.finish()
      let client = rows.role("client")
      let server = rows.role("server")
      #expect(client.transitions == Life.client + ["established→closed"])
      #expect(server.transitions == Life.server + ["established→closed"])
      #expect(client.last?["reason"] == "aborted")
      #expect(client.last?["actor_pid"] == "\(pair.client.pid)")
      #expect(server.last?["reason"] == "reset_received")
      #expect(server.last?["actor_pid"] == "", "the network did it, whoever was on the CPU")
      #expect(server.last?["process_pid"] == "\(pair.server.pid)")
      #expect(client.last?["closer"] == "" && server.last?["closer"] == "")
    }

    @Test func closeWithUnreadData() throws {
      let pair = try Pair()
      let tracer = try Tracer(of: pair.namespace)
      try pair.connect()
      try pair.client.ask("send c 600")
      try pair.server.ask("close c")
      try tracer.wait(for: ["established→closed": 2])
      let rows = try tracer.finish()
      #expect(rows.role("server").last?["reason"] == "aborted")
      #expect(rows.role("server").last?["unread_bytes"] == "600")
      #expect(rows.role("client").last?["reason"] == "reset_received")
    }

    @Test(arguments: ["127.0.0.1", "::1"])
    func refused(_ address: String) throws {
      let namespace = try NetworkNamespace()
      let client = try Privileged.peer(in: namespace)
      let tracer = try Tracer(of: namespace)
      #expect(try client.attempt("connect c \(address) 9").error == "ECONNREFUSED")
      try tracer.wait(for: ["syn_sent→closed": 1])
      let rows = try tracer.finish()
      #expect(rows.transitions == ["closed→syn_sent", "syn_sent→closed"])
      let last = try #require(rows.last)
      #expect(last["reason"] == "refused")
      #expect(last["role"] == "client")
      #expect(last["peer_port"] == "9")
      #expect(last["process_pid"] == "\(client.pid)")
      #expect(last["duration_kind"] == "exact")
      #expect(last.number("initial_send_sequence") != nil, "the SYN was sent")
      #expect(last["initial_receive_sequence"] == "", "and never answered by one")
    }

    /// One direction ends, the other goes on for a known time.
    @Test func halfClose() throws {
      let pair = try Pair()
      let tracer = try Tracer(of: pair.namespace)
      try pair.connect()
      let shut = try pair.client.ask("shutdown c")
      try pair.server.ask("eof c")
      Clocks.pass(milliseconds: 150)
      try pair.server.ask("send c 1000")
      try pair.client.ask("receive c 1000")
      let closed = try pair.server.ask("close c")
      try pair.client.ask("eof c")
      try pair.client.ask("close c")
      try tracer.wait(for: ["last_ack→closed": 1, "fin_wait_2→time_wait": 1])
      let rows = try tracer.finish()
      let client = rows.withoutTimeWaitEnds.role("client")
      #expect(client.transitions == Life.client + Life.activeClose)
      #expect(client.last?["bytes_received"] == "1000")
      let server = rows.withoutTimeWaitEnds.role("server")
      #expect(server.transitions == Life.server + Life.passiveClose)
      let closeWait = try #require(server.first { $0["state_new"] == "last_ack" }?.number("state_duration_ns"))
      #expect(closeWait >= 150_000_000 && closeWait <= closed.after - shut.before)
      let finWait2 = try #require(client.last?.number("state_duration_ns"))
      #expect(finWait2 >= 100_000_000 && finWait2 <= closed.after - shut.before)
    }

    @Test func listenersLife() throws {
      let pair = try Pair()
      let tracer = try Tracer(of: pair.namespace)
      let opened = try pair.server.ask("listen l 0.0.0.0")
      Clocks.pass(milliseconds: 30)
      let closed = try pair.server.ask("close l")
      try tracer.wait(for: ["listen→closed": 1])
      let rows = try tracer.finish()
      #expect(rows.transitions == ["closed→listen", "listen→closed"])
      for row in rows {
        #expect(row["role"] == "listener")
        #expect(row["local_address"] == "0.0.0.0")
        #expect(row["local_port"] == "\(opened.port)")
        #expect(row["peer_address"] == "" && row["peer_port"] == "")
        #expect(row["reason"] == "" && row["closer"] == "")
        #expect(row["process_pid"] == "\(pair.server.pid)" && row["actor_pid"] == "\(pair.server.pid)")
      }
      let stay = try #require(rows.last?.number("state_duration_ns"))
      #expect(stay >= closed.before - opened.after && stay <= closed.after - opened.before)
    }

    /// The listener goes before it has accepted.
    @Test func unaccepted() throws {
      let pair = try Pair()
      let tracer = try Tracer(of: pair.namespace)
      let port = try pair.server.ask("listen l 127.0.0.1").port
      try pair.client.ask("connect c 127.0.0.1 \(port)")
      try pair.server.ask("close l")
      try tracer.wait(for: ["established→closed": 2, "listen→closed": 1])
      let rows = try tracer.finish()
      #expect(rows.role("server").transitions == Life.server + ["established→closed"])
      #expect(rows.role("server").last?["reason"] == "unaccepted")
      #expect(rows.role("client").last?["reason"] == "reset_received")
    }
  }
}
