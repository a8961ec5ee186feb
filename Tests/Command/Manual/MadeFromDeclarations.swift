// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport

/// What a script makes of the program's declarations, in a folder that goes away with this value.
final class MadeFromDeclarations {
  let folder: String

  init(_ script: String) throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "tcpstate-\(UUID().uuidString)").path
    let process = try ChildProcess.run(
      [Peer.python, "-B", TestFile.url(script).path, Tracer.binary, folder], seconds: 60)
    guard process.ending == .exited(0) else { throw TestFailure(process.errorText) }
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }
}
