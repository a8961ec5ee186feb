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
    "  g             group by process, peer, port, or not",
    "  /             filter by what is typed; Enter keeps it, Esc drops it",
    "  arrows        choose; also PgUp, PgDn, Home, End",
    "  Enter         the connection or group chosen; Esc goes back",
    "  ? q           this help, quit",
  ]

  private static let travel = [
    "",
    "  left right    a step back or forward in time",
    "  - +           shorter or longer steps",
    "  , .           to the transition before or after",
    "  0 $           to the start or end of the recording",
    "  Space         let time pass, or stop it",
  ]

  private static let legend = [
    "",
    "  STATES, drawn to scale:",
    "  " + TopLane.letters.prefix(5).map { "\($0.1) \($0.0.name(.rfc))" }.joined(separator: "  "),
    "  " + TopLane.letters.dropFirst(5).map { "\($0.1) \($0.0.name(.rfc))" }.joined(separator: "  "),
  ]
}
