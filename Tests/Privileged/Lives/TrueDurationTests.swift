// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

extension Privileged {
  /// Stays that the tracepoint's events alone would get wrong, against the truth.
  @Suite struct TrueDurationTests {
    /// The handshake takes as long as the wire does: there and back.
    @Test(arguments: [75, 300])
    func synReceived(delay: Int) throws {
      let (client, server) = (try NetworkNamespace(), try NetworkNamespace())
      let tracer = try Tracer(of: server)
      let wire = try ChildProcess.run(
        [Peer.python, Privileged.file("peers/delayed.py"), client.path, server.path, "\(delay)"], seconds: 30)
      try #require(wire.ending == .exited(0), "\(wire.errorText)")
      try tracer.wait(for: ["syn_received→established": 1])
      let row = try #require(try tracer.finish().first { $0.transition == "syn_received→established" })
      let truth = wire.outputText.split(whereSeparator: \.isWhitespace).compactMap { UInt64($0) }
      try #require(truth.count == 2 && truth[0] <= truth[1], "\(wire.outputText)")
      let stay = try #require(row.number("state_duration_ns"))
      #expect(truth[0] >= UInt64(delay) * 2_000_000 - 1_000_000, "\(truth)")
      #expect(stay + 1_000_000 >= truth[0] && stay <= truth[1] + 1_000_000, "\(stay) against \(truth)")
      #expect(row["duration_kind"] == "exact")
      #expect(row["syn_ack_retransmits"] == "0")
    }

    /// FIN-WAIT-2 for 300 ms, as the application's half-close and as an orphan that only the kernel holds.
    @Test(arguments: ["shutdown c", "close c"])
    func finWait2(begin: String) throws {
      let pair = try Pair()
      let tracer = try Tracer(of: pair.namespace)
      let port = try pair.connect().port
      try pair.client.ask(begin)
      try pair.server.ask("eof c")
      try tracer.wait(for: ["fin_wait_1→fin_wait_2": 1])
      Clocks.pass(milliseconds: 300)
      let closed = try pair.server.ask("close c")
      let settled = try pair.server.ask("settle \(port)")
      try tracer.wait(for: ["fin_wait_2→time_wait": 1])
      let client = try tracer.finish().role("client")
      let began = try #require(client.first { $0["state_new"] == "fin_wait_2" }?.number("timestamp_unix_nano"))
      let row = try #require(client.first { $0["state_new"] == "time_wait" })
      let ended = try #require(row.number("timestamp_unix_nano"))
      let stay = try #require(row.number("state_duration_ns"))
      #expect(row["source"] == (begin == "close c" ? "derived" : "event"))
      #expect(row["duration_kind"] == "exact")
      #expect(stay >= 300_000_000 - 5_000_000)
      // The server's FIN is sent while its close() runs, and has arrived when the table says TIME-WAIT.
      let offset = Clocks.realtime() - Clocks.monotonic()
      let truth = (closed.before + offset - 5_000_000)...(settled.after + offset + 5_000_000)
      #expect(truth.contains(ended), "\(ended) against \(truth)")
      #expect(ended - began <= stay + 5_000_000 && stay <= ended - began + 5_000_000, "\(stay): \(began) to \(ended)")
      #expect(row["process_pid"] == "\(pair.client.pid)", "still its process's, though it has no descriptor")
    }

    /// The kernel says nothing of its end; the table that lacks it does.
    @Test func timeWait() throws {
      let pair = try Pair()
      let tracer = try Tracer(of: pair.namespace)
      try pair.connect()
      try pair.close(first: pair.client, then: pair.server)
      try tracer.wait(for: ["fin_wait_2→time_wait": 1])
      let table = try TimeWaitTable(pair.namespace)
      Clocks.pass(milliseconds: 58_000)
      let gone = try table.untilEmpty(Deadline(seconds: 20))
      try tracer.wait(for: ["time_wait→closed": 1])
      let row = try #require(try tracer.finish().first { $0.transition == "time_wait→closed" })
      let ended = try #require(row.number("timestamp_unix_nano"))
      let truth = (gone.lowerBound - 50_000_000)...(gone.upperBound + 50_000_000)
      #expect(truth.contains(ended), "\(ended) against \(truth)")
      #expect(try #require(row.number("state_duration_ns")) >= 60_000_000_000)
      #expect(row["duration_kind"] == "exact" && row["source"] == "derived" && row["reason"] == "fin")
      #expect(row["role"] == "client" && row["process_pid"] == "\(pair.client.pid)")
    }
  }
}

/// The TIME-WAIT sockets of a namespace, by /proc/net/tcp of a process in it.
private final class TimeWaitTable {
  private let holder: ChildProcess
  private let path: String

  init(_ namespace: NetworkNamespace) throws {
    holder = try ChildProcess(namespace.command(["sleep", "120"]))
    path = "/proc/\(holder.pid)/net/tcp"
  }

  deinit { holder.send(SIGKILL) }

  /// CLOCK_REALTIME between which the last one went: when it was last there, and first missing.
  func untilEmpty(_ deadline: Deadline) throws -> ClosedRange<UInt64> {
    var there = Clocks.realtime()
    while true {
      let before = Clocks.realtime()
      let text = try String(decoding: TemporaryFolder.bytes(path), as: UTF8.self)
      if !text.split(separator: "\n").contains(where: { $0.contains(" 06 ") }) { return there...Clocks.realtime() }
      there = before
      if deadline.hasPassed { throw TestFailure("TIME-WAIT doesn't end") }
      Clocks.pass(milliseconds: 4)
    }
  }
}
