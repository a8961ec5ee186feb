// SPDX-License-Identifier: Apache-2.0
import Glibc
import TCPStateKernel

/// What this process may do.
enum Rights {
  /// Fails before anything is set up, so that the message is about what the user can change.
  static func require() throws(Failure) {
    let missing = Capabilities.missingForTracing
    guard !missing.isEmpty else { return }
    let names = missing.map(\.name).joined(separator: " and ")
    let isRoot = geteuid() == 0
    let remedy = Remedy.grant(missing.map(\.name), isRoot: isRoot)
    throw Failure(
      .noPermission,
      isRoot
        ? "can't trace without \(names), which root doesn't have here; \(remedy); tcpstate-trace doctor shows more"
        : "can't trace without \(names): \(remedy): \(Typed.withSudo)")
  }
}
