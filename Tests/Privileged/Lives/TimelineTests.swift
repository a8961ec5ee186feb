// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

extension Privileged {
  /// What is said of times, calls and segments that no event shows as such: never more than is known.
  @Suite struct TimelineTests {
    /// One run of a case: its rows, and what its program knows.
    private struct Run {
      let rows: [CSVTable.Row]
      let truth: [[String: String]]
      let lives: [DrawnLife]

      init(_ name: String, until transitions: [String: Int]) throws {
        let namespace = try NetworkNamespace()
        let tracer = try Tracer(of: namespace)
        let made = try ChildProcess.run(
          namespace.command([Peer.python, Privileged.file("peers/timeline.py"), name]), seconds: 60)
        try #require(made.ending == .exited(0), "\(made.errorText)")
        try tracer.wait(for: transitions)
        rows = try tracer.finish()
        truth = made.outputText.split(separator: "\n").map { line in
          var facts: [String: String] = [:]
          for word in line.split(separator: " ") {
            let parts = word.split(separator: "=", maxSplits: 1)
            facts[String(parts[0])] = String(parts[1])
          }
          return facts
        }
        let folder = try TemporaryFolder()
        let path = folder.file("rows.csv")
        try tracer.process.outputText.write(toFile: path, atomically: true, encoding: .utf8)
        let drawn = try ChildProcess.run([Tracer.binary, "lifecycle", "--read", path, "--format", "jsonl"])
        lives = try DrawnLife.parse(drawn.outputText)
      }

      func rows(ofPort port: String?) -> [CSVTable.Row] { rows.filter { $0["local_port"] == port } }
    }

    private static func number(_ facts: [String: String], _ name: String) throws -> UInt64 {
      try #require(facts[name].flatMap { UInt64($0) })
    }

    /// The times between which the row's transition was, as it says.
    private static func bounds(_ row: CSVTable.Row) throws -> ClosedRange<UInt64> {
      let time = try #require(row.number("timestamp_unix_nano"))
      let error = row.number("timestamp_error_ns") ?? 0
      switch row["timestamp_kind"] {
      case "exact": return time...time
      case "at_least": return time...time + error
      case "at_most": return time - error...time
      default: throw TestFailure("no timestamp_kind: \(row)")
      }
    }

    /// Without TCP timestamps, and within the stamp's grain: rows in order, times within their bounds, and stays that
    /// are exact to 10 ms, or shorter than they were.
    @Test(arguments: ["orphan_without_timestamps", "orphans_at_once"])
    func orphansEnd(_ name: String) throws {
      let count = name == "orphans_at_once" ? 40 : 3
      let run = try Run(name, until: ["fin_wait_2→time_wait": count])
      try #require(run.truth.count == count)
      for facts in run.truth {
        let rows = run.rows(ofPort: facts["port"])
        let began = try #require(rows.first { $0["state_new"] == "fin_wait_2" }?.number("timestamp_unix_nano"))
        let row = try #require(rows.first { $0.transition == "fin_wait_2→time_wait" })
        let bounds = try Self.bounds(row)
        let (before, after) = (try Self.number(facts, "before"), try Self.number(facts, "after"))
        // The FIN is sent by close(), and may be received a little later.
        #expect(bounds.lowerBound <= after + 5_000_000 && bounds.upperBound + 1_000_000 >= before, "\(row)")
        #expect(bounds.lowerBound >= began)
        guard let stay = row.number("state_duration_ns") else { continue }
        #expect(stay > 0)
        #expect(stay + began <= after + 10_000_000, "\(stay)")
        if row["duration_kind"] == "exact" {
          let grain = row.number("timestamp_error_ns") ?? 0
          #expect(stay >= grain && stay + 10_000_000 + began >= before, "\(stay)")
        }
      }
    }

    @Test func finCalls() throws {
      let run = try Run("calls", until: ["fin_wait_2→time_wait": 5])
      let wanted = [
        "close": "close", "shutdown": "shutdown", "both": "shutdown", "both_and_close": "shutdown",
        "lingering_close": "",
      ]
      #expect(run.truth.count == 5)
      for facts in run.truth {
        let call = try #require(facts["call"])
        let rows = run.rows(ofPort: facts["port"])
        let first = try #require(rows.first { $0["state_new"] == "fin_wait_1" })
        #expect(first["fin_call"] == (call == "shutdown" ? "shutdown" : ""), "\(call) isn't known at once")
        let later = try #require(rows.first { $0["state_new"] == "fin_wait_2" })
        #expect(later["fin_call"] == wanted[call], "\(call)")
        let life = try #require(run.lives.first { facts["port"] == "\($0.client.port)" })
        let act = life.steps.first { $0.phase == "close" && $0.step == 1 }?.act
        #expect(act == (call == "lingering_close" ? "close" : wanted[call]), "\(call)")
        // The server's only call.
        #expect(life.steps.first { $0.phase == "close" && $0.step == 5 }?.act == "close")
      }
    }

    /// An orphan's minisock is gone with a RST: then or later than the row says, and drawn behind it.
    @Test func resetOfAnOrphan() throws {
      let run = try Run("reset_of_an_orphan", until: ["fin_wait_2→closed": 3])
      for facts in run.truth {
        let row = try #require(run.rows(ofPort: facts["port"]).first { $0.transition == "fin_wait_2→closed" })
        let bounds = try Self.bounds(row)
        #expect(row["timestamp_kind"] == "at_least" && row["source"] == "derived")
        #expect(try bounds.lowerBound <= Self.number(facts, "after"))
        #expect(try bounds.upperBound >= Self.number(facts, "before"), "\(row)")
        let life = try #require(run.lives.first { facts["port"] == "\($0.client.port)" })
        let last = try #require(life.steps.last)
        #expect(last.actor == "client" && last.basis == "found" && last.time_kind == "at_least")
        let time = try #require(last.time_unix_nano.flatMap { UInt64($0) })
        #expect(try time + 1_000_000 >= Self.number(facts, "before"), "not before the RST")
      }
    }

    @Test func noAcknowledgementWasSent() throws {
      let run = try Run("unread_at_the_fin", until: ["fin_wait_1→closed": 1, "close_wait→closed": 1])
      let life = try #require(run.lives.first)
      let received = try #require(life.steps.first { $0.phase == "close" && $0.step == 3 })
      #expect(received.flags == nil)
      #expect(!life.steps.contains { $0.state_new == "fin_wait_2" })
      #expect(life.steps.contains { $0.flags == ["RST", "ACK"] && $0.actor == "server" && $0.basis == "observed" })
    }

    @Test(arguments: ["refused_by_icmp", "refused_by_reset"])
    func refused(_ name: String) throws {
      let run = try Run(name, until: ["syn_sent→closed": 1])
      #expect(run.truth.first?["error"] == "111")
      let life = try #require(run.lives.first)
      #expect(life.steps.last?.reason == "refused")
      #expect(life.steps.contains { $0.flags?.contains("RST") == true } == (name == "refused_by_reset"))
    }

    /// The namespace's own limit and counter, not the tracer's.
    @Test func timeWaitOverflow() throws {
      let run = try Run("overflow", until: ["fin_wait_2→time_wait": 8, "time_wait→closed": 5])
      #expect(run.truth.count { $0["kept"] == "1" } == 3)
      for facts in run.truth where facts["kept"] == "0" {
        let row = try #require(run.rows(ofPort: facts["port"]).first { $0.transition == "time_wait→closed" })
        #expect(row["reason"] == "overflow")
      }
    }

    /// Both ends of a handshake that failed, though the client never learned the server's number.
    @Test func lostSynAcks() throws {
      let run = try Run("lost_syn_acks", until: ["syn_received→closed": 1, "syn_sent→closed": 1])
      #expect(run.lives.count == 1)
      #expect(run.lives.first.map { $0.client.observed && $0.server.observed } == true)
      #expect(run.lives.first?.steps.map(\.basis).contains("implied") == false)
    }

    @Test func deferredAccept() throws {
      let run = try Run("deferred", until: ["syn_received→established": 2])
      let facts = try #require(run.truth.first)
      let rows = run.rows(ofPort: facts["port"]).role("server")
      #expect(rows.first?.transition == "listen→syn_received" && rows.first?["source"] == "event")
      let row = try #require(rows.first { $0.transition == "syn_received→established" })
      let stay = try #require(row.number("state_duration_ns"))
      let waited = try Self.number(facts, "before") - Self.number(facts, "connected")
      #expect(row["duration_kind"] == "exact" && stay >= waited && stay <= waited + 500_000_000)
    }
  }
}
