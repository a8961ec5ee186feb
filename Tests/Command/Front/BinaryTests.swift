// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import TestSupport
import Testing

/// The binary that `make build` makes, as readelf(1) shows it.
@Suite(
  .enabled(
    if: access("/usr/bin/readelf", X_OK) == 0 && Tracer.binary.contains("release"),
    "needs readelf and the release build"))
struct BinaryTests {
  private static func readelf(_ option: String) throws -> String {
    let process = try ChildProcess.run(["readelf", "-W", option, Tracer.binary])
    guard process.ending == .exited(0) else { throw TestFailure(process.errorText) }
    return process.outputText
  }

  /// No folder is searched for libraries but the system's: root may run it from a folder that others write to.
  @Test func noSearchPath() throws {
    let dynamic = try Self.readelf("-d")
    #expect(dynamic.contains("NEEDED"))
    #expect(!dynamic.contains("RPATH") && !dynamic.contains("RUNPATH") && !dynamic.contains("ORIGIN"))
  }

  /// Position-independent; all symbols are bound, and their table is read-only, before main().
  @Test func hardened() throws {
    #expect(try Self.readelf("-h").contains("DYN (Position-Independent Executable file)"))
    #expect(try Self.readelf("-l").contains("GNU_RELRO"))
    let dynamic = try Self.readelf("-d")
    #expect(dynamic.contains("BIND_NOW") || dynamic.contains("NOW"))
    #expect(dynamic.contains("PIE"))
    let stack = try Self.readelf("-l").split(separator: "\n").first { $0.contains("GNU_STACK") }
    #expect(stack?.contains(" RW ") ?? false)
  }

  /// Builds in two folders are alike: the folder is in no string.
  @Test func withoutFolder() throws {
    let bytes = try Data(contentsOf: URL(fileURLWithPath: Tracer.binary))
    let folder = TestFile.url("Makefile").deletingLastPathComponent().path
    #expect(bytes.range(of: Data(folder.utf8)) == nil)
  }
}
