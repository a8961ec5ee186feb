// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// A connection's states drawn to scale on one line, one letter per cell.
enum TopLane {
  /// The letters that stand for the states, in lanes and in the legend.
  static let letters: [(TCPState, Character)] = [
    (.synSent, "S"), (.synReceived, "R"), (.established, "E"), (.finWait1, "1"), (.finWait2, "2"), (.closeWait, "C"),
    (.closing, "G"), (.lastAck, "L"), (.timeWait, "T"),
  ]

  static func letter(_ state: TCPState) -> Character { letters.first { $0.0 == state }?.1 ?? "?" }

  /// The cells of each stay: in proportion to its length, and at least one. The last stay, which
  /// still goes on, takes the remaining cells.
  static func cells(_ stays: [TopStay], width: Int) -> [(TCPState, Int)] {
    guard width > 0 else { return [] }
    let shown = stays.suffix(width)
    let total = shown.reduce(0.0) { $0 + Double($1.nanoseconds) }
    var left = width
    var result: [(TCPState, Int)] = []
    for (index, stay) in shown.enumerated() {
      let after = shown.count - index - 1
      var cells = left
      if after > 0 {
        let share = total > 0 ? Int((Double(stay.nanoseconds) / total * Double(width)).rounded()) : 1
        cells = max(1, min(share, left - after))
      }
      result.append((stay.state, cells))
      left -= cells
    }
    return result
  }

  /// - Parameter theme: `nil` without colours.
  static func append(_ stays: [TopStay], width: Int, theme: TopTheme?, to buffer: inout ByteBuffer) {
    for (state, count) in cells(stays, width: width) {
      if let theme { buffer.append(theme.color(state)) }
      buffer.append(String(repeating: letter(state), count: count))
      if theme != nil { buffer.append(StateColor.reset) }
    }
  }
}

/// A series of numbers as bars of eight heights.
enum Sparkline {
  static func text(_ values: some BidirectionalCollection<UInt64>, width: Int, glyphs: Glyphs) -> String {
    let bars: [Character] =
      glyphs.unknown.description == "-" ? Array(" .:-=+*#") : Array("▁▂▃▄▅▆▇█")
    let shown = values.suffix(width)
    let top = max(shown.max() ?? 0, 1)
    return String(shown.map { $0 == 0 ? " " : bars[Int(min($0 * 7 / top, 7))] })
  }
}
