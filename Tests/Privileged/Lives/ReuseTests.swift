// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

extension Privileged {
  /// Numbers and addresses that come again for something else.
  @Suite struct ReuseTests {
    /// Two processes with one id, one after the other: each row names the right one.
    @Test func processID() throws {
      let namespace = try NetworkNamespace()
      let peer = try Privileged.peer(in: namespace)
      let port = try peer.ask("listen l 127.0.0.1").port
      let tracer = try Tracer(["-D", "\(port)"], of: namespace)
      let twins = try ChildProcess.run(
        namespace.command([Peer.python, Privileged.file("peers/twins.py"), "\(port)"]), seconds: 30)
      try #require(twins.ending == .exited(0), "\(twins.errorText)")
      let pid = twins.outputText.split(separator: "\n").first.map { String($0) }
      try tracer.wait(for: ["syn_sent→established": 2])
      let rows = try tracer.finish().filter { $0.transition == "syn_sent→established" }
      #expect(rows.map { $0["process_pid"] } == [pid, pid])
      #expect(rows.map { $0["process_name"] } == ["first", "second"])
    }

    /// The same addresses and ports, while the last connection's TIME-WAIT is still there.
    @Test func addressesAndPorts() throws {
      let pair = try Pair()
      let tracer = try Tracer(of: pair.namespace)
      let port = try pair.server.ask("listen l 127.0.0.1").port
      let first = try pair.connect(to: port).port
      try pair.close(first: pair.server, then: pair.client)
      try tracer.wait(for: ["fin_wait_2→time_wait": 1])
      try pair.client.ask("connect c 127.0.0.1 \(port) 127.0.0.1/\(first)")
      try pair.server.ask("accept l c")
      try pair.close(first: pair.server, then: pair.client)
      try tracer.wait(for: ["fin_wait_2→time_wait": 2, "time_wait→closed": 1, "last_ack→closed": 2])
      let rows = try tracer.finish().filter { $0["role"] != "listener" }
      let lives = rows.withoutTimeWaitEnds.byConnection
      #expect(lives.map(\.transitions).count { $0 == Life.client + Life.passiveClose } == 2)
      #expect(lives.map(\.transitions).count { $0 == Life.server + Life.activeClose } == 2)
      #expect(Set(rows.map { $0["connection_id"] }).count == 4)
      let end = try #require(rows.first { $0.transition == "time_wait→closed" })
      #expect(end["reason"] == "reused" && end["source"] == "derived")
      #expect(tracer.process.errorText.contains("0 lost, 0 unmatched"), "\(tracer.process.errorText)")
    }
  }
}
