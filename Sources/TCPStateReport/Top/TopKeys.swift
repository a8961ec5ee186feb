// SPDX-License-Identifier: Apache-2.0

/// The keys of `top` and what each does: the help screen, the manual and the documentation have them from here.
public enum TopKeys {
  public struct Entry: Sendable {
    public let keys: String
    public let meaning: String
    /// Only where time can be travelled.
    public var isForRecordings = false
  }

  public static let all: [Entry] = [
    Entry(keys: "j k", meaning: "next, previous line; also arrows, PgUp, PgDn, Home, End, the wheel"),
    Entry(keys: "Enter", meaning: "open the chosen connection, group or TIME-WAIT; also a second click"),
    Entry(keys: "L", meaning: "draw the chosen connection's ladder"),
    Entry(keys: "Esc", meaning: "go back; on the list, clear the filter"),
    Entry(keys: "d", meaning: "sort by what is worst: stuck, then stalled, then oldest"),
    Entry(keys: "a s p e b r", meaning: "sort by age, state, process, peer, bytes, retransmits; again: reverse"),
    Entry(keys: "g", meaning: "group by process, container, peer or port, or don't group"),
    Entry(keys: "/", meaning: "type a filter: words that must match, -words that must not"),
    Entry(keys: "n N", meaning: "next, previous match"),
    Entry(keys: "c", meaning: "choose the columns"),
    Entry(keys: "t", meaning: "change the theme: dark, light, mono"),
    Entry(keys: "Space", meaning: "stand still, or go on"),
    Entry(keys: "y", meaning: "copy the chosen line to the clipboard"),
    Entry(keys: "w", meaning: "write the list to a CSV file here"),
    Entry(keys: "W", meaning: "remember these settings"),
    Entry(keys: "m", meaning: "turn the mouse off or on, to select text"),
    Entry(keys: "? q", meaning: "show this help, quit"),
    Entry(keys: "left right", meaning: "step back or forward in time", isForRecordings: true),
    Entry(keys: "- +", meaning: "make steps shorter or longer", isForRecordings: true),
    Entry(keys: ", .", meaning: "go to the previous or next transition", isForRecordings: true),
    Entry(keys: "0 $", meaning: "go to the start or end of the recording", isForRecordings: true),
    Entry(keys: "Space", meaning: "play or stop", isForRecordings: true),
  ]

  /// One line for each, for the manual.
  public static let text = all.map { entry in
    let keys = entry.keys + String(repeating: " ", count: max(0, 12 - entry.keys.count))
    return "  \(keys)\(entry.meaning)\(entry.isForRecordings ? " (with --read)" : "")"
  }.joined(separator: "\n")
}
