// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

extension Privileged {
  /// SIGKILL at random moments: the last row may be cut, nothing else, and `--read` takes what is there.
  @Suite struct KillTests {
    private static let rounds = 20
    private static let tracersAtOnce = 10

    @Test(.timeLimit(.minutes(3))) func twoHundredTimes() throws {
      let namespace = try NetworkNamespace()
      let peer = try Privileged.peer(in: namespace)
      let folder = try TemporaryFolder()
      var random = SeededGenerator(seed: 9)
      var cut = 0
      var rows = 0
      try peer.start("churn 127.0.0.1 0 150")
      for round in 0..<Self.rounds {
        let files = (0..<Self.tracersAtOnce).map { folder.file("\(round)-\($0).csv") }
        let tracers = try files.map { file in
          try ChildProcess(
            [
              Tracer.binary, "--netns", namespace.path, "--no-existing", "--format", "csv", "--columns", "all",
              "--output",
              file, "--for", "60s",
            ])
        }
        // Between the start and well into the traffic.
        let first = Deadline(seconds: 20)
        while !FileManager.default.fileExists(atPath: files[0]), !first.hasPassed { usleep(200) }
        for tracer in tracers.shuffled(using: &random) {
          usleep(.random(in: 0...15_000, using: &random))
          tracer.send(SIGKILL)
        }
        for tracer in tracers { #expect(try tracer.wait(until: Deadline(seconds: 60)) == .killed(SIGKILL)) }
        for file in files {
          let (isCut, count) = try check(file)
          cut += isCut ? 1 : 0
          rows += count
        }
      }
      #expect(rows > 1000, "the tracers were killed before they wrote")
      print("SIGKILL: \(cut) of \(Self.rounds * Self.tracersAtOnce) files end in a cut row, \(rows) rows are whole")
    }

    /// - Returns: whether the last row is cut, and how many are whole.
    private func check(_ file: String) throws -> (isCut: Bool, rows: Int) {
      guard FileManager.default.fileExists(atPath: file) else { return (false, 0) }
      let table = try CSVTable(TemporaryFolder.bytes(file))
      let read = try ChildProcess.run([Tracer.binary, "--read", file, "--format", "csv", "--columns", "all"])
      guard !table.header.isEmpty else {
        #expect(read.ending == .exited(65) && read.errorLines.count == 1, "\(file): \(read.errorText)")
        return (table.isCut, 0)
      }
      #expect(read.ending == .exited(0), "\(file): \(read.errorText)")
      #expect(try CSVTable(read.output).rows.count == table.rows.count, "\(file)")
      #expect(read.errorText.contains("cut") == table.isCut, "\(file): \(read.errorText)")
      return (table.isCut, table.rows.count)
    }
  }
}
