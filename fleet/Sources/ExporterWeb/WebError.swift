// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Why the server can't start: what failed, on what, why, and what to do, in one line.
public struct WebError: Error, CustomStringConvertible, Sendable {
  /// The kind of failure; the raw value is the exit status (sysexits.h).
  public enum Kind: Int32, Sendable {
    /// An option is wrong.
    case usage = 64
    /// The configuration, or a file that it names, is wrong or can't be read.
    case unreadable = 65
    /// An address can't be listened on.
    case unavailable = 69
    /// The address or file needs a right that the process lacks.
    case permission = 77
  }

  public let kind: Kind
  /// One line without a line feed.
  public let message: String

  init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }

  public var description: String { message }
  public var exitStatus: Int32 { kind.rawValue }
}

/// The text of an error number, as in "Permission denied".
func errorText(_ number: Int32) -> String { String(cString: strerror(number)) }
