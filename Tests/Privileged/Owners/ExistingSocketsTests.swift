// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

extension Privileged {
  /// Sockets that were open before the tracer.
  @Suite struct ExistingSocketsTests {
    @Test func agesAreTrueLowerBounds() throws {
      let pair = try Pair()
      let port = try pair.server.ask("listen l 127.0.0.1").port
      // Both ends stay ESTABLISHED, then the second connection's server goes to CLOSE-WAIT.
      let connected = try pair.connect(to: port)
      try pair.client.ask("connect d 127.0.0.1 \(port)")
      try pair.server.ask("accept l d")
      Clocks.pass(milliseconds: 100)
      let half = try pair.client.ask("shutdown d")
      Clocks.pass(milliseconds: 400)

      let tracer = try Tracer(of: pair.namespace)
      #expect(tracer.process.errorText.contains("Open before: 4 connections, 1 listener"))
      let closedWait = try pair.server.ask("close d")
      let closed = try pair.client.ask("close c")
      try pair.server.ask("eof c")
      try pair.server.ask("close c")
      let listenerClosed = try pair.server.ask("close l")
      try tracer.wait(for: ["last_ack→closed": 2, "listen→closed": 1])
      let rows = try tracer.finish().withoutTimeWaitEnds

      let closeWait = try #require(
        rows.first { $0.transition == "close_wait→last_ack" && $0["duration_kind"] == "at_least" })
      let age = try #require(closeWait.number("state_duration_ns"))
      #expect(age <= closedWait.after - half.before, "a lower bound")
      #expect(age + 100_000_000 >= closedWait.before - half.after, "within 100 ms of the truth")
      #expect(closeWait["process_pid"] == "\(pair.server.pid)")
      #expect(closeWait["process_name"] == "python3")
      #expect(closeWait["role"] == "server" && closeWait["closer"] == "passive")
      #expect(closeWait["initial_send_sequence"] != "")

      let finWait1 = try #require(rows.first { $0.transition == "established→fin_wait_1" })
      #expect(finWait1["duration_kind"] == "at_least")
      #expect(try #require(finWait1.number("state_duration_ns")) <= closed.after - connected.before)
      #expect(finWait1["process_pid"] == "\(pair.client.pid)")
      #expect(finWait1["role"] == "client")

      let listener = try #require(rows.first { $0.transition == "listen→closed" })
      #expect(listener["duration_kind"] == "at_least" && listener["role"] == "listener")
      #expect(try #require(listener.number("state_duration_ns")) <= listenerClosed.after)
      #expect(listener["process_pid"] == "\(pair.server.pid)")
      // What is entered while tracing is exact.
      for row in rows where row["state_old"] == "fin_wait_1" || row["state_old"] == "last_ack" {
        #expect(row["duration_kind"] == "exact", "\(row.transition)")
      }
      #expect(tracer.process.errorText.contains("0 lost, 0 unmatched"))
    }

    /// In a namespace that isn't the tracer's, without naming one.
    @Test func inAnotherNamespace() throws {
      let pair = try Pair()
      let (port, _) = try pair.connect()
      let tracer = try Tracer(["-L", "\(port)"], of: nil)
      try pair.close(first: pair.client, then: pair.server)
      try tracer.wait(for: ["last_ack→closed": 1])
      let rows = try tracer.finish().filter { $0["netns"] == "\(pair.namespace.inode)" && $0["role"] == "server" }
      #expect(rows.transitions == Life.passiveClose)
      #expect(rows.first?["duration_kind"] == "at_least")
      #expect(Set(rows.map { $0["process_pid"] }) == ["\(pair.server.pid)"])
    }

    /// `--no-existing` leaves them unread; the first stay reaches back to the attachment, no further.
    @Test func noExisting() throws {
      let pair = try Pair()
      let connected = try pair.connect().connected
      Clocks.pass(milliseconds: 200)
      let tracer = try Tracer(["--no-existing"], of: pair.namespace)
      #expect(!tracer.process.errorText.contains("Open before"))
      let closed = try pair.client.ask("close c")
      try pair.server.ask("eof c")
      try pair.server.ask("close c")
      try tracer.wait(for: ["last_ack→closed": 1])
      let rows = try tracer.finish()
      let row = try #require(rows.first { $0.transition == "established→fin_wait_1" })
      #expect(row["duration_kind"] == "at_least")
      #expect(try #require(row.number("state_duration_ns")) <= closed.after - connected.after - 200_000_000)
      #expect(tracer.process.errorText.contains("0 unmatched"))
    }
  }
}
