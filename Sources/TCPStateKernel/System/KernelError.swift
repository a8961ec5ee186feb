// SPDX-License-Identifier: Apache-2.0
import Glibc

/// What the kernel refused: the operation and its object, the cause, and what to do about it.
public struct KernelError: Error, Sendable {
  public enum Category: Sendable {
    /// The kernel lacks something.
    case unsupported
    /// A capability is missing.
    case permission
    /// What the user named doesn't exist, or is something else.
    case input
    /// Anything else that the system refused.
    case system
  }

  public let category: Category
  /// The operation and its object, to follow "can't": "load the BPF programs".
  public let operation: String
  public let cause: String
  /// What to do; empty if there is nothing to suggest.
  public let hint: String

  public init(_ category: Category, _ operation: String, cause: String, hint: String = "") {
    self.category = category
    self.operation = operation
    self.cause = cause
    self.hint = hint
  }

  /// From an errno; EPERM and EACCES become `permission`.
  public init(_ operation: String, errno code: Int32, hint: String = "") {
    let denied = code == EPERM || code == EACCES
    self.init(
      denied ? .permission : .system, operation, cause: String(cString: strerror(code)),
      hint: denied && hint.isEmpty ? Self.privilegeHint : hint)
  }

  public static let privilegeHint =
    "run it with sudo as the host's root, not a container's, or grant CAP_BPF and CAP_PERFMON there"
}

extension KernelError: CustomStringConvertible {
  public var description: String {
    "can't \(operation): \(cause)" + (hint.isEmpty ? "" : "; \(hint)")
  }
}
