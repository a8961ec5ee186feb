// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import TestSupport
import Testing

/// Whether this kernel has it.
private enum MPTCP {
  static var isThere: Bool { access("/proc/sys/net/mptcp/enabled", F_OK) == 0 }
}

extension Privileged {
  /// MPTCP (RFC 8684): a process holds the connection, and the TCP connections below it have no descriptor.
  @Suite(.enabled(if: MPTCP.isThere, "needs MPTCP")) struct MPTCPTests {
    /// One MPTCP connection between two processes.
    private struct Connected {
      let pair: Pair
      let port: Int
      /// The client's.
      let local: Int

      init(before: (Pair, _ port: Int) throws -> Void = { _, _ in }) throws {
        pair = try Pair()
        for peer in [pair.client, pair.server] { try peer.ask("mptcp") }
        port = try pair.server.ask("listen l 127.0.0.1").port
        try before(pair, port)
        local = try pair.connect(to: port).port
        // Until payload has come both ways, it may still turn out to be plain TCP.
        try pair.client.ask("send c 1")
        try pair.server.ask("receive c 1")
        try pair.server.ask("send c 1")
        try pair.client.ask("receive c 1")
      }

      func stuck(_ options: [String], exit: Int32 = 1) throws -> [CSVTable.Row] {
        let run = try ChildProcess.run(
          [Tracer.binary, "stuck", "--netns", pair.namespace.path, "--older-than", "0s", "--format", "csv"] + options)
        #expect(run.ending == .exited(exit), "\(run.errorText)")
        return try CSVTable(run.output).rows
      }
    }

    /// A child that waits for accept() has the queue of a listener whose holder is known.
    @Test(arguments: [false, true]) func listener(isPlainClient: Bool) throws {
      let pair = try Pair()
      try pair.server.ask("mptcp")
      if !isPlainClient { try pair.client.ask("mptcp") }
      let port = try pair.server.ask("listen l 127.0.0.1").port
      try pair.client.ask("connect c 127.0.0.1 \(port)")
      let run = try ChildProcess.run([
        Tracer.binary, "stuck", "--netns", pair.namespace.path, "--older-than", "0s", "--format", "csv", "--state",
        "established", "-L", "\(port)",
      ])
      #expect(run.ending == .exited(1), "\(run.errorText)")
      let rows = try CSVTable(run.output).rows
      #expect(rows.map { $0["verdict"] } == ["unaccepted"])
      #expect(rows.map { $0["listener_pid"] } == ["\(pair.server.pid)"])
    }

    /// Each TCP connection has the MPTCP connection's holder.
    @Test func subflowsAreHeld() throws {
      let connected = try Connected()
      let rows = try connected.stuck(["--state", "established"])
      let subflows = rows.filter { $0["mptcp"] == "subflow" }
      #expect(Set(subflows.map { $0["local_port"] }) == ["\(connected.port)", "\(connected.local)"])
      for row in subflows {
        let peer = row["local_port"] == "\(connected.port)" ? connected.pair.server : connected.pair.client
        #expect(row["verdict"] == "held" && row["process_pid"] == "\(peer.pid)")
        let above = rows.first { $0["connection_id"] == row["mptcp_connection_id"] }
        #expect(above?["mptcp"] == "connection" && above?["process_pid"] == row["process_pid"])
      }
    }

    /// The peer's end of sending closes the MPTCP connection, while the TCP connections stay ESTABLISHED.
    @Test func closeWait() throws {
      let connected = try Connected()
      let before = Clocks.monotonic()
      try connected.pair.client.ask("shutdown c")
      try connected.pair.server.ask("eof c")
      let after = Clocks.monotonic()
      Clocks.pass(milliseconds: 300)
      let rows = try connected.stuck(["--older-than", "200ms"])
      let row = try #require(rows.first)
      #expect(rows.count == 1)
      #expect(row["state"] == "close_wait" && row["mptcp"] == "connection" && row["verdict"] == "held")
      #expect(row["process_pid"] == "\(connected.pair.server.pid)")
      #expect(row["local_port"] == "\(connected.port)" && row["peer_port"] == "\(connected.local)")
      #expect(row["unread_bytes"].isEmpty, "not known, so not 0")
      let age = try #require(row.number("state_duration_ns"))
      #expect(row["duration_kind"] == "at_least")
      #expect(age <= Clocks.monotonic() - before)
      let read = try #require(row.number("timestamp_unix_nano")) - (Clocks.realtime() - Clocks.monotonic())
      #expect(age + 100_000_000 >= read - after)
      try connected.pair.server.ask("close c")
      #expect(try connected.stuck([], exit: 0).isEmpty)
    }

    /// No event reports that an MPTCP connection enters a state; watching finds it all the same, and its end.
    @Test func watched() throws {
      let connected = try Connected()
      let watch = try ChildProcess([
        Tracer.binary, "stuck", "--watch", "--netns", connected.pair.namespace.path, "--older-than", "1s", "--format",
        "csv", "--for", "100s",
      ])
      try watch.read(until: Deadline(seconds: 60), "to watch") { $0.errorText.contains("Watching for") }
      func events() -> [String] {
        let end = (watch.output.lastIndex(of: 0x0a) ?? -1) + 1
        return ((try? CSVTable(Array(watch.output[..<end])).rows) ?? [])
          .filter { $0["mptcp"] == "connection" && $0["state"] == "close_wait" }.map { $0["event"] }
      }
      try connected.pair.client.ask("shutdown c")
      try connected.pair.server.ask("eof c")
      try watch.read(until: Deadline(seconds: 30), "CLOSE-WAIT") { _ in events() == ["crossed"] }
      try connected.pair.server.ask("close c")
      try watch.read(until: Deadline(seconds: 30), "its end") { _ in events() == ["crossed", "ended"] }
      watch.send(SIGINT)
      #expect(try watch.wait(until: Deadline(seconds: 60)) == .exited(1))
    }

    /// A listener older than the trace owns the children that come later.
    @Test func childrenOfAnOlderListener() throws {
      var tracer: Tracer?
      let connected = try Connected { pair, _ in tracer = try Tracer(of: pair.namespace) }
      let traced = try #require(tracer)
      try traced.wait(for: ["syn_received→established": 1])
      let rows = try traced.finish()
      let server = rows.role("server")
      #expect(!server.isEmpty && server.allSatisfy { $0["process_pid"] == "\(connected.pair.server.pid)" })
      let client = rows.role("client")
      #expect(!client.isEmpty && client.allSatisfy { $0["process_pid"] == "\(connected.pair.client.pid)" })
    }

    /// A kernel thread opens and closes further TCP connections; they are the process's all the same, and no process has
    /// acted.
    @Test func furtherSubflows() throws {
      let namespace = try NetworkNamespace()
      _ = try ChildProcess.run(namespace.command(["ip", "address", "add", "127.0.0.2/8", "dev", "lo"]))
      let client = try Privileged.peer(in: namespace)
      let server = try Privileged.peer(in: namespace)
      for peer in [client, server] { try peer.ask("mptcp") }
      guard try client.attempt("subflow 127.0.0.2").error == nil else { return }  // an old iproute2
      let tracer = try Tracer(of: namespace)
      let port = try server.ask("listen l 127.0.0.1").port
      try client.ask("connect c 127.0.0.1 \(port)")
      try server.ask("accept l c")
      try client.ask("send c 1")
      try server.ask("receive c 1")
      try server.ask("send c 1")
      try client.ask("receive c 1")
      func isFurther(_ row: CSVTable.Row) -> Bool {
        row["local_address"] == "127.0.0.2" && row["peer_port"] == "\(port)"
      }
      try tracer.wait("another TCP connection") { $0.contains { isFurther($0) && $0["state_new"] == "established" } }
      let rows = try tracer.finish()
      let further = rows.filter(isFurther)
      #expect(further.allSatisfy { $0["process_pid"] == "\(client.pid)" && $0["actor_pid"].isEmpty })
      let run = try ChildProcess.run([
        Tracer.binary, "stuck", "--netns", namespace.path, "--older-than", "0s", "--state", "established", "--local",
        "127.0.0.2", "--format", "csv",
      ])
      #expect(try CSVTable(run.output).rows.map { $0["process_pid"] } == ["\(client.pid)"])
    }
  }
}
