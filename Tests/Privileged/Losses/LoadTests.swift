// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

extension Privileged {
  /// The CSV, unchanged, in the tools that people load it into.
  @Suite(.enabled(if: Privileged.python != nil, "needs TCPSTATE_TEST_PYTHON, a Python with pandas and duckdb"))
  struct LoadTests {
    @Test(arguments: ["pandas", "duckdb"], ["default", "all"])
    func load(_ tool: String, _ columns: String) throws {
      let pair = try Pair()
      let folder = try TemporaryFolder()
      let file = folder.file("rows.csv")
      let tracer = try Tracer(["--columns", columns, "--format", "csv", "--output", file], of: pair.namespace)
      try pair.client.ask("comm 612c622263")  // a,b"c
      try pair.connect()
      try pair.close(first: pair.client, then: pair.server)
      #expect(try tracer.stop() == .exited(0))
      let process = try ChildProcess.run(
        [
          try #require(Privileged.python), Privileged.file("peers/load_\(tool).py"), file, columns,
        ], seconds: 60)
      #expect(process.ending == .exited(0), "\(process.errorText)")
      #expect(process.outputText.contains("ok"))
    }
  }
}
