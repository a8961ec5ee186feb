// SPDX-License-Identifier: Apache-2.0
import TCPStateKernel

/// Exit statuses, as those of tcpstate-trace: from <sysexits.h>.
enum ExitStatus: Int32 {
  case done = 0
  case usage = 64
  /// The kernel can't.
  case unavailable = 69
  case noPermission = 77

  init(_ error: KernelError) {
    switch error.category {
    case .permission: self = .noPermission
    case .input: self = .usage
    case .unsupported, .system: self = .unavailable
    }
  }
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
