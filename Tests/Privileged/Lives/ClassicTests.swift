// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

extension Privileged {
  /// The fallback for kernels without the better program.
  @Suite struct ClassicTests {
    /// Mounts tracefs if it is missing, in a mount namespace of the tracer's own: the machine's mounts stay as they are.
    private static let withTraceFS = [
      "unshare", "--mount", "sh", "-c",
      "test -d /sys/kernel/tracing/events || mount -t tracefs tracefs /sys/kernel/tracing; exec \"$0\" \"$@\"",
    ]

    @Test func sameTransitions() throws {
      let pair = try Pair()
      let classic = try Tracer(["--attach", "classic"], of: pair.namespace, wrapper: Self.withTraceFS)
      let usual = try Tracer(["--attach", "btf"], of: pair.namespace)
      try pair.connect()
      try pair.client.ask("send c 100")
      try pair.server.ask("receive c 100")
      try pair.close(first: pair.client, then: pair.server)
      #expect(try pair.client.attempt("connect d 127.0.0.1 9").error == "ECONNREFUSED")
      for tracer in [classic, usual] {
        try tracer.wait(for: ["last_ack→closed": 1, "fin_wait_2→time_wait": 1, "syn_sent→closed": 1])
      }
      let rows = try classic.finish().withoutTimeWaitEnds
      let usualRows = try usual.finish().withoutTimeWaitEnds
      #expect(rows.transitions == usualRows.transitions)
      for column in [
        "local_port", "peer_port", "peer_address", "role", "closer", "reason", "actor_pid", "process_pid", "bytes_sent",
        "bytes_received", "initial_send_sequence",
      ] {
        #expect(rows.map { $0[column] } == usualRows.map { $0[column] }, "\(column)")
      }
      #expect(classic.process.errorText.contains("0 unmatched"))
      #expect(classic.process.errorText.contains("The classic tracepoint gives less: no socket cookies"))
      #expect(!usual.process.errorText.contains("gives less"))
    }

    /// A socket's address is used again and again; no connection is taken for another.
    @Test func addressesAreReused() throws {
      let namespace = try NetworkNamespace()
      let peer = try Privileged.peer(in: namespace)
      let tracer = try Tracer(["--attach", "classic"], of: namespace, wrapper: Self.withTraceFS)
      try peer.ask("churn 127.0.0.1 100")
      try tracer.wait(for: ["last_ack→closed": 100, "fin_wait_2→time_wait": 100])
      let rows = try tracer.finish().filter { $0["role"] != "listener" }
      #expect(rows.withoutTimeWaitEnds.byConnection.count == 200)
      #expect(rows.withoutTimeWaitEnds.byConnection.allSatisfy { $0.count == 5 })
      #expect(tracer.process.errorText.contains("0 lost, 0 unmatched"), "\(tracer.process.errorText)")
    }
  }
}
