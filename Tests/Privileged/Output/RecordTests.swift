// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

extension Privileged {
  /// `--record`: what was seen live, read back, gives the same bytes.
  @Suite struct RecordTests {
    private static func lives(in pair: Pair, _ rounds: Int) throws {
      for round in 0..<rounds {
        let address = round % 3 == 2 ? "::1" : "127.0.0.1"
        try pair.connect(address)
        if round % 2 == 0 {
          try pair.close(first: pair.client, then: pair.server)
        } else {
          try pair.close(first: pair.server, then: pair.client)
        }
        try pair.server.ask("close l")
      }
    }

    /// The lines without where a page comes from, and without how long the oldest open stay has lasted, which live goes on until the end and in a recording until
    /// its last row; and in no order, because that depends on it.
    private static func comparable(_ text: String) -> [String] {
      let text = text.replacingOccurrences(
        of: "<script[^>]* id=\"origin\">.*</script>", with: "", options: .regularExpression)
      guard text.contains("OLDEST") || text.contains("oldest_open_ns") else { return [text] }
      let oldest = [
        #",[0-9]*,(exact|at_least)?$"#, #","tcp.oldest_open_ns.*"#, #" +(≥ )?[0-9.]+ (ns|µs|ms|s|m [0-9]+ s)$"#,
        #" +–$"#,
      ]
      return text.split(separator: "\n").map { line in
        oldest.reduce(String(line)) { $0.replacingOccurrences(of: $1, with: "", options: .regularExpression) }
      }.sorted()
    }

    /// Runs a command with `--record` over some lives, with a connection that is older and another that stays open.
    ///
    /// - Returns: what it printed, and the recording.
    private static func run(_ command: [String], _ folder: TemporaryFolder) throws -> (ChildProcess, String) {
      let pair = try Pair()
      let old = try pair.server.ask("listen old 127.0.0.1").port
      try pair.client.ask("connect before 127.0.0.1 \(old)")
      let file = folder.file("record.csv")
      let live = try ChildProcess(
        [Tracer.binary] + command + ["--netns", pair.namespace.path, "--record", file, "--for", "150s"])
      try live.read(until: Deadline(seconds: 60), "to trace") {
        $0.errorText.contains("Ctrl-C ends") || $0.errorText.contains("Collecting TCP")
      }
      try lives(in: pair, 7)
      try pair.connect()
      // All of that has happened before it is asked to end.
      live.send(SIGINT)
      #expect(try live.wait(until: Deadline(seconds: 60)) == .exited(0), "\(live.errorText)")
      let read = try ChildProcess.run(
        [Tracer.binary] + command + ["--read", file, "--netns", String(pair.namespace.inode)])
      #expect(read.ending == .exited(0), "\(read.errorText)")
      #expect(Self.comparable(read.outputText) == Self.comparable(live.outputText), "\(command)")
      // lifecycle hears of all namespaces, as the other end may be in any of them; so others' traffic can overrun
      // it, which it reports. The others see this one alone.
      let isOverrun = command[0] == "lifecycle" && live.errorText.contains("tcpstate-trace: lost ")
      #expect(
        live.output.count > (command.contains("--ends") ? 30 : 200) || isOverrun, "\(live.errorText) \(read.errorText)")
      return (live, file)
    }

    @Test(arguments: [
      ["summary"], ["summary", "--by", "local-port"], ["summary", "--format", "csv", "--by", "role"],
      ["summary", "--format", "jsonl"], ["summary", "--histogram"], ["summary", "--diagram"],
      ["summary", "--ends", "--by", "port"], ["summary", "--ends", "--format", "jsonl"], ["lifecycle"],
      ["lifecycle", "--format", "jsonl", "--relative"], ["report"], ["report", "--format", "perfetto"],
    ])
    func readBack(_ command: [String]) throws {
      _ = try Self.run(command, try TemporaryFolder())
    }

    /// It begins with what was there before, and has every transition that the command saw.
    @Test func complete() throws {
      let folder = try TemporaryFolder()
      let (live, file) = try Self.run(["summary", "--format", "csv"], folder)
      let rows = try CSVTable(try TemporaryFolder.bytes(file)).rows
      let found = rows.filter { $0["source"] == "snapshot" && $0["state_old"] == $0["state_new"] }
      #expect(found.count { $0["state_new"] == "established" } == 2)
      #expect(found.count { $0["state_new"] == "listen" } == 1)
      #expect(found.allSatisfy { $0["state_duration_ns"].isEmpty })
      #expect(rows.map { $0.number("sequence") ?? 0 } == (1...UInt64(rows.count)).map { $0 })
      let summary = try CSVTable(live.output).rows
      #expect(summary.first { $0["state"] == "established" }?["open_now"] == "4")
      #expect(summary.first { $0["state"] == "established" }?["stays"] == "14")
    }

    /// A table on standard output, the recording in a file.
    @Test func besideATrace() throws {
      let folder = try TemporaryFolder()
      let pair = try Pair()
      let file = folder.file("record.csv")
      let tracer = try Tracer(["--record", file], of: pair.namespace)
      try Self.lives(in: pair, 2)
      try tracer.wait(for: ["last_ack→closed": 2])
      let shown = try tracer.finish()
      let recorded = try CSVTable(try TemporaryFolder.bytes(file)).rows.filter { $0["state_old"] != $0["state_new"] }
      #expect(recorded.map(\.transition) == shown.map(\.transition))
      #expect(recorded.map { $0["timestamp"] } == shown.map { $0["timestamp"] })
    }
  }
}
