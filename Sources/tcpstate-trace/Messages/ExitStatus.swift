// SPDX-License-Identifier: Apache-2.0

/// Exit statuses, from <sysexits.h> where it has one.
enum ExitStatus: Int32 {
  case done = 0
  /// `stuck` found some.
  case found = 1
  /// Under `--strict`: events were lost or contradicted each other.
  case incomplete = 3
  case usage = 64
  /// An input file is unreadable.
  case badInput = 65
  /// The kernel can't.
  case unavailable = 69
  case outputFailed = 74
  case noPermission = 77
}

/// An error that ends the program: one line on standard error, and a status.
struct Failure: Error {
  let status: ExitStatus
  let message: String

  init(_ status: ExitStatus, _ message: String) {
    self.status = status
    self.message = message
  }
}
