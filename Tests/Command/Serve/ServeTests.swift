// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import TestSupport
import Testing

/// `serve`, with a copy of the program next to a stand-in for the exporter that shows what it was given.
@Suite struct ServeTests {
  private let folder: Folder
  private let binary: String

  init() throws {
    folder = try Folder()
    binary = "\(folder.path)/tcpstate-trace"
    try FileManager.default.copyItem(atPath: Tracer.binary, toPath: binary)
  }

  private func install(_ script: String) throws {
    let path = try folder.write("tcpstate-exporter", "#!/bin/sh\n\(script)\n")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
  }

  @Test(arguments: [["--help"], ["--web.listen-address", ":1", "-x", "two words", "--", "--version"], []])
  func everythingIsPassedOn(_ arguments: [String]) throws {
    try install("for word; do echo \"<$word>\"; done; exit 5")
    let process = try Recording.run([binary, "serve"] + arguments, status: 5, bare: true)
    #expect(process.outputText.split(separator: "\n").map { String($0) } == arguments.map { "<\($0)>" })
  }

  /// The exporter's own variables pass, those that --exec sets don't; and no signal stays ignored.
  @Test func whatItInherits() throws {
    try install("env | grep ^TCPSTATE_; grep ^SigIgn: /proc/self/status")
    let process = try Recording.run(
      ["env", "TCPSTATE_EXPORTER_X=1", "TCPSTATE_STATE=2", binary, "serve"], bare: true)
    #expect(process.outputText == "TCPSTATE_EXPORTER_X=1\nSigIgn:\t0000000000000000\n")
  }

  /// Nothing is run from PATH, where anybody's folder may be.
  @Test(.enabled(if: access("/usr/bin/tcpstate-exporter", F_OK) != 0, "needs a host without the exporter"))
  func namesThePackage() throws {
    let other = try Folder()
    let path = try other.write("tcpstate-exporter", "#!/bin/sh\necho ran\n")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    let process = try Recording.run(
      ["env", "PATH=\(other.path):/usr/bin:/bin", binary, "serve"], status: 69, bare: true)
    #expect(process.outputText.isEmpty)
    #expect(process.errorText.split(separator: "\n").count == 1)
    #expect(process.errorText.contains("install the package tcpstate-exporter"))
  }
}
