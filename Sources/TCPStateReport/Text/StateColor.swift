// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// Terminal colours (ECMA-48, Select Graphic Rendition) by meaning.
///
/// Green is open, cyan is opening, blue is closing, faint is over. CLOSE-WAIT, which waits
/// for a program on this host, and states without a name stand out.
public enum StateColor {
  public static let reset: StaticString = "\u{1b}[0m"
  public static let heading: StaticString = "\u{1b}[1m"
  /// Something went wrong.
  public static let alarm: StaticString = "\u{1b}[31m"

  public static func of(_ state: TCPState) -> StaticString {
    switch state {
    case .established: "\u{1b}[32m"
    case .listen, .synSent, .synReceived: "\u{1b}[36m"
    case .finWait1, .finWait2, .closing, .lastAck: "\u{1b}[34m"
    case .timeWait, .closed: "\u{1b}[2m"
    case .closeWait: "\u{1b}[1;33m"
    default: "\u{1b}[1;31m"
    }
  }
}
