// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import TestSupport
import Testing

/// A sample of `make test-faults`: system calls that fail, one in each run of a command.
@Suite(.enabled(if: access("/usr/bin/gcc", X_OK) == 0, "needs gcc"))
struct FaultTests {
  private let folder: Folder
  private let inject: String

  init() throws {
    folder = try Folder()
    inject = "\(folder.path)/inject"
    _ = try Recording.run(
      ["gcc", "-O1", TestFile.url("Tests/faults/inject.c").path, "-o", inject], bare: true)
  }

  /// Nothing crashes, every status is of the table, and no file is torn.
  @Test(arguments: ["csv", "gzip", "report"]) func sample(_ name: String) throws {
    let process = try ChildProcess.run(
      [
        "python3", "-B", TestFile.url("Tests/faults/run.py").path, inject, Tracer.binary, "--places", "1", "--case",
        name,
      ], seconds: 300)
    #expect(process.ending == .exited(0), "\(process.outputText) \(process.errorText)")
    #expect(process.outputText.contains(" 0 crashes, 0 hangs, 0 torn, 0 wrong"))
  }

  /// The program that injects does inject, and its own exit says how the program ended.
  @Test func injects() throws {
    let path = try folder.write("t.csv", Recording.csv(Recording.rows(3)))
    let full = ["trace", "--format", "csv", "--read", path, "--output", "\(folder.path)/o"]
    let process = try ChildProcess.run([inject, "fail", "write", "ENOSPC", "1", "once", "--", Tracer.binary] + full)
    #expect(process.ending == .exited(74) && process.errorText.contains("No space left"))
    let killed = try ChildProcess.run([inject, "count", "/dev/null", "--", "sh", "-c", "kill -SEGV $$"])
    #expect(killed.ending == .killed(SIGSEGV))
  }
}
