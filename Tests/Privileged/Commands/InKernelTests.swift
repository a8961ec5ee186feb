// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

extension Privileged {
  /// `summary --in-kernel` next to `summary`, on the same sockets at the same time.
  struct InKernelTests {
    /// What may lie between the clocks that the two programs read at one transition, in nanoseconds.
    private static let reading = 20_000.0

    /// Counts agree always; times in one of five tries, for the CPU may be taken away between the two programs.
    @Test func agrees() throws {
      var apart: [String] = []
      for _ in 1...5 {
        apart = try Self.timesApart()
        if apart.isEmpty { break }
      }
      #expect(apart == [])
    }

    /// The cells in which the times of the two differ by more than their clocks and buckets explain.
    private static func timesApart() throws -> [String] {
      let pair = try Pair()
      let counted = try summary(of: pair.namespace, ["--in-kernel"])
      let traced = try summary(of: pair.namespace)
      try pair.client.ask("churn 127.0.0.1 300")
      try pair.connect()
      try pair.close(first: pair.server, then: pair.client)
      try pair.connect()
      let ours = try end(counted)
      let theirs = try end(traced)  // No tracepoint reports how long minisocks last.
      var apart: [String] = []
      for state in ["listen", "syn_sent", "syn_received", "established", "fin_wait_1", "close_wait", "last_ack"] {
        let (ours, theirs) = (ours[state], theirs[state])
        #expect(ours?["stays"] == theirs?["stays"], "\(state)")
        #expect(ours?["open_now"] == theirs?["open_now"], "\(state)")
        for column in ["p50_ns", "p90_ns", "p99_ns", "longest_ns", "total_ns"] {
          guard let a = (ours?[column]).flatMap({ Double($0) }), let b = (theirs?[column]).flatMap({ Double($0) })
          else {
            #expect(ours?[column] == theirs?[column], "\(state) \(column)")
            continue
          }
          let count = column == "total_ns" ? Double(theirs?["stays"] ?? "1") ?? 1 : 1
          if abs(a - b) > 0.022 * b + reading * count { apart.append("\(state) \(column): \(a), \(b)") }
        }
      }
      #expect(ours["established"]?["stays"] == "602")
      #expect(counted.errorText.contains(" 0 unmatched."))
      return apart
    }

    /// An orphan's FIN-WAIT-2 goes on in a minisock, whose end isn't seen: it counts as a lower bound.
    @Test func orphans() throws {
      let pair = try Pair()
      let counted = try Self.summary(of: pair.namespace, ["--in-kernel"])
      for number in 1...4 {
        let port = try pair.server.ask("listen l\(number) 127.0.0.1").port
        try pair.client.ask("connect c\(number) 127.0.0.1 \(port)")
        try pair.server.ask("accept l\(number) s\(number)")
        // An orphan begins with close(), once the FIN is acknowledged.
        try pair.client.ask("\(number < 4 ? "close" : "shutdown") c\(number)")
        try pair.server.ask("eof s\(number)")
      }
      Clocks.pass(milliseconds: 500)  // a delayed acknowledgment
      try pair.server.ask("close s4")
      try pair.client.ask("eof c4")
      try pair.client.ask("close c4")
      let rows = try Self.end(counted)
      #expect(rows["fin_wait_1"]?["stays"] == "4")
      #expect(rows["fin_wait_2"]?["stays"] == "4", "none is missing")
      #expect(rows["fin_wait_2"]?["total_kind"] == "at_least")
      #expect(rows["close_wait"]?["oldest_open_kind"] == "at_least")
      #expect(counted.errorText.contains("3 orphans went on in FIN-WAIT-2 unseen: their stays are lower bounds."))
    }

    @Test(arguments: [
      ["--by", "process"], ["--pid", "1"], ["--state", "established"], ["--count", "1"], ["--record", "t.csv"],
      ["--no-existing"], ["--buffer", "4M"],
    ])
    func refuses(_ options: [String]) throws {
      let process = try ChildProcess.run([Tracer.binary, "summary", "--in-kernel"] + options, seconds: 10)
      #expect(process.ending == .exited(64))
      #expect(process.errorText.contains("--in-kernel counts per state only, it can't go with \(options[0])"))
    }

    private static func summary(of namespace: NetworkNamespace, _ options: [String] = []) throws -> ChildProcess {
      let process = try ChildProcess(
        [Tracer.binary, "summary", "--netns", namespace.path, "--format", "csv", "--for", "100s"] + options)
      try process.read(until: Deadline(seconds: 60), "to start tracing") { $0.errorText.contains("Tracing TCP on") }
      return process
    }

    /// The rows by state.
    private static func end(_ process: ChildProcess) throws -> [String: CSVTable.Row] {
      process.send(SIGINT)
      #expect(try process.wait(until: Deadline(seconds: 60)) == .exited(0))
      let rows = try CSVTable(Array(process.output)).rows
      return Dictionary(rows.map { ($0["state"], $0) }) { first, _ in first }
    }
  }
}
