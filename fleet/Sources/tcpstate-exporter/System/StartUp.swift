// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import TCPStateKernel
import TCPStateProgram

/// What comes before everything else.
enum StartUp {
  /// Blocks the signals that end the program, in all threads that come, so that `Signals.askForEnd` sees them; and opens
  /// standard error.
  static func prepare() {
    for number in [SIGPIPE, SIGXFSZ] { signal(number, SIG_IGN) }
    var set = sigset_t()
    sigemptyset(&set)
    for number in Signals.heeded { sigaddset(&set, number) }
    sigprocmask(SIG_BLOCK, &set, nil)
    Log.prepare()
  }

  /// All environment variables.
  static var environment: [(name: String, value: String)] {
    var all: [(name: String, value: String)] = []
    var next = environ
    while let entry = next.pointee {
      let parts = String(cString: entry).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if parts.count == 2 { all.append((String(parts[0]), String(parts[1]))) }
      next += 1
    }
    return all
  }

  /// Fails before anything is set up, so that the message is about what the user can change.
  static func requireRights() throws {
    let missing = Capabilities.missingForTracing.map(\.name)
    guard !missing.isEmpty else { return }
    let remedy = Remedy.grant(missing, isRoot: geteuid() == 0)
    throw Failure(
      .noPermission,
      "can't trace without \(missing.joined(separator: " and ")): \(remedy); the unit tcpstate-exporter.service does")
  }
}
