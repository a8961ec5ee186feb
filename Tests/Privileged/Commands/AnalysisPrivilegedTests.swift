// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

/// The recipes of docs/analysis.md, all of them, on a recording of real sockets.
@Suite(
  .oneAtATime,
  .enabled(if: Privilege.canTrace, "needs root and kernel BTF"),
  .enabled(if: python != nil, "needs TCPSTATE_TEST_PYTHON with the packages of scripts/dependencies.txt"))
struct AnalysisPrivilegedTests {
  @Test func everyBlock() throws {
    let python = try #require(python)
    let document = TestFile.url("docs/analysis.md").path
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("analysis-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let namespace = try NetworkNamespace()
    let inFolder = ["sh", "-c", "cd \"$1\" && shift && exec \"$@\"", "sh", folder.path]
    let process = try ChildProcess.run(
      namespace.command(
        inFolder + [
          python, Privileged.file("peers/analysis.py"), document,
          URL(fileURLWithPath: Tracer.binary).path,
        ]), seconds: 120)
    #expect(process.ending == .exited(0), "\(process.errorText)")
    print("analysis: \(process.outputText)", terminator: "")
  }
}

private let python = ProcessInfo.processInfo.environment["TCPSTATE_TEST_PYTHON"]
