// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

extension Privileged {
  /// How rows get out: in time, whole, and until the end.
  @Suite struct OutputTests {
    /// At most 100 ms late, and what the machine let the tracer or this test wait for a CPU.
    private static func checkPrompt(_ row: CSVTable.Row, seen: UInt64, waited: UInt64) throws {
      let late = seen - (try #require(row.number("timestamp_unix_nano")))
      #expect(late <= 100_000_000 + waited, "\(late / 1_000_000) ms, \(waited / 1_000_000) ms of it without a CPU")
    }

    private static func waited(_ tracer: Tracer) -> UInt64 { RunQueue.waited(tracer.process.pid) + RunQueue.waited() }

    @Test func promptInAPipe() throws {
      let pair = try Pair()
      let tracer = try Tracer(of: pair.namespace)
      let port = try pair.server.ask("listen l 127.0.0.1").port
      for round in 1...10 {
        let waited = Self.waited(tracer)
        _ = try pair.connect(to: port)
        try tracer.wait(for: ["syn_received→established": round])
        let seen = Clocks.realtime()
        let row = try #require(try tracer.rows().last { $0.transition == "syn_received→established" })
        try Self.checkPrompt(row, seen: seen, waited: Self.waited(tracer) - waited)
      }
    }

    @Test func promptInAFile() throws {
      let pair = try Pair()
      let folder = try TemporaryFolder()
      let file = folder.file("rows.csv")
      let tracer = try Tracer(["--output", file], of: pair.namespace)
      let port = try pair.server.ask("listen l 127.0.0.1").port
      for round in 1...10 {
        let waited = Self.waited(tracer)
        _ = try pair.connect(to: port)
        let (row, seen) = try watch(file) { rows in
          let found = rows.filter { $0.transition == "syn_received→established" }
          return found.count == round ? found.last : nil
        }
        try Self.checkPrompt(row, seen: seen, waited: Self.waited(tracer) - waited)
      }
      #expect(try tracer.stop() == .exited(0))
    }

    /// Looks at a growing file until it holds a row, and says when.
    private func watch(
      _ file: String, _ find: ([CSVTable.Row]) -> CSVTable.Row?
    ) throws -> (CSVTable.Row, UInt64) {
      let deadline = Deadline(seconds: 60)
      while !deadline.hasPassed {
        let bytes = try TemporaryFolder.bytes(file)
        let seen = Clocks.realtime()
        if let row = find(try CSVTable(bytes).rows) { return (row, seen) }
        usleep(1000)
      }
      throw TestFailure("no such row in time")
    }

    @Test(arguments: [SIGINT, SIGTERM, SIGHUP], [true, false])
    func wholeAfterSignals(_ signal: Int32, _ toFile: Bool) throws {
      let (table, ending) = try cutShort(by: signal, toFile: toFile)
      #expect(ending == .exited(0))
      #expect(!table.isCut)
      #expect(table.rows.count > 100)
    }

    @Test(arguments: [true, false])
    func killCutsTheLastRowAtMost(_ toFile: Bool) throws {
      let (table, ending) = try cutShort(by: SIGKILL, toFile: toFile)
      #expect(ending == .killed(SIGKILL))
      #expect(table.rows.count > 100)
    }

    /// A signal in the middle of traffic; reading the table fails if any row except the last isn't whole.
    private func cutShort(by signal: Int32, toFile: Bool) throws -> (CSVTable, ChildProcess.Ending) {
      let namespace = try NetworkNamespace()
      let peer = try Privileged.peer(in: namespace)
      let folder = try TemporaryFolder()
      let file = folder.file("rows.csv")
      let tracer = try Tracer(toFile ? ["--output", file] : [], of: namespace)
      try peer.start("churn 127.0.0.1 0 0.6")
      if toFile {
        _ = try watch(file) { $0.count > 300 ? $0.last : nil }
      } else {
        try tracer.wait("rows") { $0.count > 300 }
      }
      let ending = try tracer.stop(signal)
      _ = try peer.answer()
      return (try CSVTable(toFile ? TemporaryFolder.bytes(file) : tracer.process.output), ending)
    }

    @Test func readerGone() throws {
      let namespace = try NetworkNamespace()
      let peer = try Privileged.peer(in: namespace)
      let tracer = try Tracer(of: namespace)
      tracer.process.closeOutput()
      try peer.ask("churn 127.0.0.1 3")
      #expect(try tracer.process.wait(until: Deadline(seconds: 60)) == .exited(0))
      #expect(!tracer.process.errorText.contains("tcpstate-trace:"), "that is no error")
    }

    /// The reader is there, but reads nothing: no row is lost.
    @Test func slowReader() throws {
      let namespace = try NetworkNamespace()
      let peer = try Privileged.peer(in: namespace)
      let tracer = try Tracer(of: namespace)
      try peer.ask("churn 127.0.0.1 300")
      let rows = try tracer.finish().filter { $0["role"] != "listener" }
      #expect(rows.withoutTimeWaitEnds.count == 3000)
      #expect(tracer.process.errorText.contains("0 lost"))
    }

    @Test(arguments: [["--output", "/dev/full"], []])
    func diskFull(_ options: [String]) throws {
      let arguments = [Tracer.binary, "--format", "csv", "--for", "20s"] + options
      let process = try ChildProcess(arguments, output: options.isEmpty ? .file("/dev/full") : .pipe)
      #expect(try process.wait(until: Deadline(seconds: 60)) == .exited(74))
      #expect(process.errorLines.count { $0.hasPrefix("tcpstate-trace: ") } == 1, "\(process.errorText)")
      #expect(process.errorText.contains("No space left on device"))
    }

    @Test func unwritableOutput() throws {
      let process = try ChildProcess.run([Tracer.binary, "--output", "/nonexistent/x"])
      #expect(process.ending == .exited(74))
      #expect(process.errorLines.count == 1)
    }
  }
}
