// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport

extension Tracer {
  /// Ends a tracer that a wrapper has started as its child (nsenter, unshare), which passes on no signals.
  func stopNested() throws -> ChildProcess.Ending {
    let path = "/proc/\(process.pid)/task/\(process.pid)/children"
    let children = try String(decoding: TemporaryFolder.bytes(path), as: UTF8.self)
    for child in children.split(separator: " ") {
      if let pid = pid_t(child) { kill(pid, SIGINT) }
    }
    return try process.wait(until: Deadline(seconds: 60))
  }

  /// The same; it must succeed.
  func finishNested() throws -> [CSVTable.Row] {
    let ending = try stopNested()
    guard ending == .exited(0) else { throw TestFailure("\(ending): \(process.errorText)") }
    return try rows()
  }
}
