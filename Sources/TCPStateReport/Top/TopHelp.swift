// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// The help screen of `top`.
enum TopHelp {
  static func lines(isRecording: Bool, notes: [String], text: TopText) -> [String] {
    let usual = TopKeys.all.filter { !$0.isForRecordings && !(isRecording && $0.keys == "Space") }
    let entries = (isRecording ? TopKeys.all.filter(\.isForRecordings) : []) + usual
    // What is special comes first: what a low terminal cuts off is in the manual.
    return notes.flatMap { text.wrap($0, indent: 2) }
      + entries.flatMap { Self.lines($0, text) }
      + legend.map { text.fit($0, text.width, pads: false) }
  }

  /// The keys, and next to them their meaning, on as many lines as it takes.
  private static func lines(_ entry: TopKeys.Entry, _ text: TopText) -> [String] {
    let indent = 15
    return text.wrap(entry.meaning, indent: indent).enumerated().map { index, line in
      index == 0 ? text.fit("  " + entry.keys, indent) + line.dropFirst(indent) : line
    }
  }

  private static let legend = [
    "  States: " + TopLane.letters.prefix(5).map { "\($0.1) \($0.0.name(.rfc))" }.joined(separator: "  "),
    "          " + TopLane.letters.dropFirst(5).map { "\($0.1) \($0.0.name(.rfc))" }.joined(separator: "  "),
  ]
}
