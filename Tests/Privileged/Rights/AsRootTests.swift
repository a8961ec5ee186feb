// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import TestSupport
import Testing

extension Privileged {
  /// What make's targets say to a user who can't become root.
  @Suite struct AsRootTests {
    /// `path` has all that the script needs, and no sudo unless it is put there.
    @Test(arguments: [false, true])
    func says(hasSudo: Bool) throws {
      let folder = try TemporaryFolder()
      chmod(folder.path, 0o755)
      let repository = TestFile.url("scripts/as-root.sh").path
      try FileManager.default.copyItem(atPath: repository, toPath: folder.file("as-root.sh"))
      for tool in ["bash", "id"] {
        try FileManager.default.createSymbolicLink(atPath: folder.file(tool), withDestinationPath: "/usr/bin/\(tool)")
      }
      if hasSudo {
        try Data("#!/usr/bin/bash\necho \"by sudo: $*\"\n".utf8).write(to: URL(fileURLWithPath: folder.file("sudo")))
        chmod(folder.file("sudo"), 0o755)
      }
      let process = try ChildProcess.run([
        "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "env", "-C", folder.path, "PATH=\(folder.path)",
        folder.file("as-root.sh"), "python3", "bench/top.py",
      ])
      if hasSudo {
        #expect(process.ending == .exited(0), "\(process.errorText)")
        #expect(process.outputText == "by sudo: python3 bench/top.py\n")
      } else {
        #expect(process.ending == .exited(77), "\(process.errorText)")
        #expect(
          process.errorText
            == "as-root: not root, and there is no sudo; run as root: cd \(folder.path) && python3 bench/top.py\n")
      }
    }
  }
}
