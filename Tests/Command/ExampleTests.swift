// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

/// The programs of `examples/`, built with the tests.
@Suite struct ExampleTests {
  @Test func readRecording() throws {
    let folder = try Folder()
    let path = try folder.write("t.csv", Recording.csv(Recording.rows(4)))
    let program = TestFile.url(".build/debug/example-read-recording").path
    let process = try ChildProcess.run(["sh", "-c", "exec \"$0\" <\"$1\"", program, path], seconds: 60)
    #expect(process.ending == .exited(0), "\(process.errorText)")
    #expect(process.outputText == "ESTABLISHED 1.00 s connection 7\nCLOSE-WAIT 1.00 s connection 7\n")
  }
}
