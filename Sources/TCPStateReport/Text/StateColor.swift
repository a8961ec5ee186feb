// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// Terminal colours (ECMA-48, Select Graphic Rendition) by meaning.
///
/// Only colours of the sixteen that themes define, and none that is pale on white: no yellow, and no bold with a colour,
/// which many terminals make bright.
public enum StateColor {
  public static let reset: StaticString = "\u{1b}[0m"
  public static let heading: StaticString = "\u{1b}[1m"
  /// Something went wrong, or has lasted far too long.
  public static let alarm: StaticString = "\u{1b}[31m"
  /// Something lasts longer than it should.
  public static let warning: StaticString = "\u{1b}[35m"
  /// Over.
  public static let faint: StaticString = "\u{1b}[2m"

  /// The colour that stands for a state in pictures: green is open, cyan is opening, blue is closing, faint is over.
  /// CLOSE-WAIT, which waits for a program on this host, and states without a name stand out.
  public static func of(_ state: TCPState) -> StaticString {
    switch state {
    case .established: "\u{1b}[32m"
    case .listen, .synSent, .synReceived: "\u{1b}[36m"
    case .finWait1, .finWait2, .closing, .lastAck: "\u{1b}[34m"
    case .timeWait, .closed: faint
    case .closeWait: warning
    default: alarm
    }
  }

  /// The colour of a state's name in text: most states are as they should be, and have none.
  static func ofName(_ state: TCPState) -> StaticString? {
    switch state {
    case .timeWait, .closed: faint
    case _ where state.isKnown: nil
    default: alarm
    }
  }

  /// The colour of a time spent in a state; `nil` if it is nothing to worry about.
  ///
  /// What counts is whether something has had to be sent again, or a program has had time to act: 30 µs in CLOSE-WAIT are
  /// the usual way to close.
  public static func of(_ state: TCPState, lasting nanoseconds: UInt64) -> StaticString? {
    let limits: (warning: UInt64, alarm: UInt64)
    switch state {
    // A SYN is sent again after a second (RFC 6298).
    case .synSent, .synReceived: limits = (1, 10)
    case .closeWait, .finWait1, .closing, .lastAck: limits = (1, 60)
    // net.ipv4.tcp_fin_timeout is a minute.
    case .finWait2: limits = (10, 60)
    default: return nil
    }
    let seconds = nanoseconds / 1_000_000_000
    return seconds >= limits.alarm ? alarm : seconds >= limits.warning ? warning : nil
  }
}
