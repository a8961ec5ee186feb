// SPDX-License-Identifier: Apache-2.0
import Glibc

/// A tracepoint to which a loaded program couldn't be attached; tracing goes on without it.
public struct FailedAttachment: Sendable, Hashable {
  /// As the kernel names it: `tcp:tcp_send_reset`.
  public let tracepoint: String
  /// The kernel's errno.
  public let code: Int32
  /// What isn't seen without it, for people.
  public let loss: String
}

extension FailedAttachment: CustomStringConvertible {
  public var description: String {
    "can't attach to the tracepoint \(tracepoint): \(String(cString: strerror(code))); "
      + "tracing goes on with less: \(loss)"
  }
}
