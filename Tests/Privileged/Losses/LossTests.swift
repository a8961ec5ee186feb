// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

extension Privileged {
  /// A consumer that stands still while the buffer overflows.
  @Suite struct LossTests {
    /// 10 transitions a connection: see the agent's churn.
    private static let perConnection = 10

    /// Stops the tracer, lets connections pass by, and lets it go on.
    private func lose(_ tracer: Tracer, _ peer: Peer, connections: Int) throws {
      try tracer.pause()
      try peer.ask("churn 127.0.0.1 \(connections)", seconds: 30)
      tracer.process.send(SIGCONT)
      try tracer.process.read(until: Deadline(seconds: 60), "word of the loss") { $0.errorText.contains("lost") }
    }

    @Test(arguments: ["4K", "16K", "64K"])
    func countedExactly(_ buffer: String) throws {
      let namespace = try NetworkNamespace()
      let peer = try Privileged.peer(in: namespace)
      let tracer = try Tracer(["--buffer", buffer], of: namespace)
      try peer.ask("churn 127.0.0.1 1")
      try tracer.wait(for: ["last_ack→closed": 1, "fin_wait_2→time_wait": 1])
      try lose(tracer, peer, connections: 60)
      try peer.ask("churn 127.0.0.1 1")
      #expect(try tracer.stop() == .exited(0))

      let rows = try tracer.rows()
      let events = rows.filter { $0["source"] == "event" && $0["role"] != "listener" }
      // The listeners: opened three times, and closed when the next one takes the place.
      let listeners = rows.filter { $0["source"] == "event" && $0["role"] == "listener" }
      let made = 62 * Self.perConnection + 5
      let lost = try #require(tracer.reportedLoss, "\(tracer.process.errorText)")
      #expect(lost > 0)
      #expect(events.count + listeners.count + lost == made, "\(tracer.process.errorText)")
      let last = try #require(rows.compactMap { $0.number("sequence") }.max())
      #expect(Int(last) - rows.count == lost, "the gap in the sequence")
      #expect(tracer.process.errorLines.contains { $0.contains("lost") && $0.contains("--buffer") })
    }

    @Test func strict() throws {
      let namespace = try NetworkNamespace()
      let peer = try Privileged.peer(in: namespace)
      let tracer = try Tracer(["--buffer", "4K", "--strict"], of: namespace)
      try lose(tracer, peer, connections: 20)
      #expect(try tracer.stop() == .exited(3))
      let quiet = try Tracer(["--strict"], of: namespace)
      try peer.ask("churn 127.0.0.1 3")
      try quiet.wait(for: ["last_ack→closed": 3])
      #expect(try quiet.stop() == .exited(0), "\(quiet.process.errorText)")
    }

    /// Events that come faster than they can be applied keep it from nothing else: it reports the loss meanwhile, and ends.
    @Test func heedsWhileOverwhelmed() throws {
      let namespace = try NetworkNamespace()
      // One CPU for all, of which the tracer gets next to nothing.
      let cpu = try Self.firstCPU()
      let churns = try (0..<2).map { _ in try Privileged.peer(in: namespace, wrapper: ["taskset", "-c", cpu]) }
      let tracer = try Tracer(["--buffer", "1M"], of: namespace, wrapper: ["taskset", "-c", cpu])
      // Not before it has started, which would take long on a busy machine.
      _ = try ChildProcess.run(["renice", "-n", "19", "-p", "\(tracer.process.pid)"])
      for churn in churns { try churn.start("churn 127.0.0.1 0 120") }
      let flood = Deadline(seconds: 120)
      try tracer.process.read(until: Deadline(seconds: 60), "to lose events") { $0.errorText.contains("lost") }
      try #require(!flood.hasPassed, "the flood ended first")
      // It has shown what is under test; what is left to do may go faster.
      _ = try ChildProcess.run(["renice", "-n", "0", "-p", "\(tracer.process.pid)"])
      tracer.process.send(SIGINT)
      #expect(try tracer.process.wait(until: Deadline(seconds: 60)) == .exited(0), "\(tracer.process.errorText)")
    }

    private static func firstCPU() throws -> String {
      let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
      let match = status.firstMatch(of: /Cpus_allowed_list:\s*(\d+)/)
      return String(try #require(match).1)
    }

    /// What a loss touches is a lower bound, and a true one: the end may have been lost at once.
    @Test func boundsStayTrue() throws {
      let pair = try Pair()
      let tracer = try Tracer(["--buffer", "4K"], of: pair.namespace)
      let connected = try pair.connect().connected
      try tracer.wait(for: ["syn_received→established": 1])
      try tracer.pause()
      // Fills the buffer, so that what follows is lost for certain.
      try pair.client.ask("churn 127.0.0.1 5")
      let closed = try pair.client.ask("reset c")
      Clocks.pass(milliseconds: 300)
      try pair.client.ask("churn 127.0.0.1 5")
      tracer.process.send(SIGCONT)
      try tracer.process.read(until: Deadline(seconds: 60), "word of the loss") { $0.errorText.contains("lost") }
      try pair.client.ask("churn 127.0.0.1 1")
      try tracer.wait("the connection's end") { rows in
        rows.count { $0.transition == "established→closed" && $0["local_port"] == "\(connected.port)" } == 1
      }
      let rows = try tracer.finish()
      let ends = rows.filter {
        $0.transition == "established→closed" && [$0["local_port"], $0["peer_port"]].contains("\(connected.port)")
      }
      #expect(ends.count == 2)
      for end in ends {
        #expect(end["duration_kind"] != "exact")
        if let stay = end.number("state_duration_ns") { #expect(stay <= closed.after - connected.before) }
      }
    }
  }
}
