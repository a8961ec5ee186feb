// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// The help screen of `top`.
enum TopHelp {
  static func lines(isRecording: Bool, notes: [String], text: TopText) -> [String] {
    keys + (isRecording ? travel : []) + legend
      + (notes.isEmpty ? [] : [""]) + notes.flatMap { text.wrap($0, indent: 2) }
  }

  private static let keys = [
    "",
    "  a s p e b r   sort by age, state, process, peer, bytes, retransmits",
    "  g             group by process, peer or port, or don't group",
    "  /             type a filter; Enter keeps it, Esc clears it",
    "  arrows        select; also PgUp, PgDn, Home, End",
    "  Enter         open the selected connection or group; Esc goes back",
    "  ? q           show this help, quit",
  ]

  private static let travel = [
    "",
    "  left right    step back or forward in time",
    "  - +           make steps shorter or longer",
    "  , .           go to the previous or next transition",
    "  0 $           go to the start or end of the recording",
    "  Space         play or stop",
  ]

  private static let legend = [
    "",
    "  STATES, drawn to scale:",
    "  " + TopLane.letters.prefix(5).map { "\($0.1) \($0.0.name(.rfc))" }.joined(separator: "  "),
    "  " + TopLane.letters.dropFirst(5).map { "\($0.1) \($0.0.name(.rfc))" }.joined(separator: "  "),
  ]
}
