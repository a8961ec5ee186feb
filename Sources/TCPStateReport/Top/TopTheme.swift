// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// The colours of `top`, of the sixteen that every terminal has and its user may have chosen.
public enum TopTheme: String, Sendable, CaseIterable {
  /// For light text on a dark ground.
  case dark
  /// For dark text on a light ground, where yellow and faint text are hard to read.
  case light
  /// Bold and underlined instead of colours.
  case mono

  var next: TopTheme {
    let all = Self.allCases
    return all[((all.firstIndex(of: self) ?? 0) + 1) % all.count]
  }

  /// How a state is shown (ECMA-48, Select Graphic Rendition).
  ///
  /// - Parameter rank: whether it is old enough to stand out; `nil` where no single connection is meant.
  func color(_ state: TCPState, _ rank: TopRow.Rank? = nil) -> StaticString {
    // A CLOSE-WAIT that just began is a connection that is being closed.
    let isYoung = state == .closeWait && rank != nil && rank != .stuck
    switch self {
    case .dark:
      if rank == .stuck { return StateColor.alarm }
      return rank == .stalled ? "\u{1b}[35m" : StateColor.of(isYoung ? .lastAck : state)
    case .light: return rank == .stalled ? "\u{1b}[35m" : Self.light(isYoung ? .lastAck : state)
    case .mono:
      if state == .timeWait || state == .closed { return "\u{1b}[2m" }
      return rank == .stuck || rank == nil && state == .closeWait ? "\u{1b}[1;4m" : rank == .stalled ? "\u{1b}[1m" : ""
    }
  }

  var faint: StaticString { self == .light ? "\u{1b}[90m" : "\u{1b}[2m" }

  private static func light(_ state: TCPState) -> StaticString {
    switch state {
    case .established: "\u{1b}[32m"
    case .listen, .synSent, .synReceived: "\u{1b}[36m"
    case .finWait1, .finWait2, .closing, .lastAck: "\u{1b}[34m"
    case .timeWait, .closed: "\u{1b}[90m"
    case .closeWait: "\u{1b}[1;31m"
    default: "\u{1b}[1;35m"
    }
  }
}
