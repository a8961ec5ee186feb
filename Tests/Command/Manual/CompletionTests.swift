// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

/// The completions in real shells: each case types into one, on a terminal, and sees what it would run.
@Suite(.serialized) struct CompletionTests {
  @Test(
    .enabled(if: access("/usr/bin/zsh", X_OK) == 0 && access("/usr/bin/fish", X_OK) == 0, "needs zsh and fish"),
    arguments: ["bash", "zsh", "fish"])
  func shell(_ name: String) throws {
    let out = try MadeFromDeclarations("scripts/completions.py")
    let process = try ChildProcess.run(
      [Peer.python, "-B", TestFile.url("Tests/packages/shells.py").path, name, out.folder], seconds: 120)
    #expect(process.ending == .exited(0), "\(process.outputText)\(process.errorText)")
  }

  /// No script hands names of processes to something that expands them, such as `compgen -W`.
  @Test func expandsNothing() throws {
    let out = try MadeFromDeclarations("scripts/completions.py")
    let code = try ChildProcess.run(["grep", "-rnE", "compgen|\\beval\\b|xargs", out.folder]).outputText
    #expect(code.split(separator: "\n").allSatisfy { $0.contains("# ") }, "\(code)")
  }
}
