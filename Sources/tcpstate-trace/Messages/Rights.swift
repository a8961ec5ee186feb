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
    throw Failure(
      .noPermission,
      geteuid() == 0
        ? "can't trace without \(names), which root doesn't have here; a container needs them added (--cap-add)"
        : "can't trace without \(names): run it with sudo: \(Typed.withSudo)")
  }
}
