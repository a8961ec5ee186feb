// SPDX-License-Identifier: Apache-2.0

/// Text in a limited number of terminal columns.
public enum FittedText {
  /// The text, or its beginning with an ellipsis.
  ///
  /// - Parameter width: at least 1.
  public static func cut(_ text: String, to width: Int, _ glyphs: Glyphs = .unicode) -> String {
    guard DisplayWidth.of(text) > width else { return text }
    var result = ""
    var used = 1  // the ellipsis
    for character in text {
      used += DisplayWidth.of(String(character))
      guard used <= width else { break }
      result.append(character)
    }
    return result + glyphs.ellipsis.description
  }

  /// Breaks text into lines of at most `width` columns: between words, and within a word that is longer than a line.
  ///
  /// - Parameters:
  ///   - first: what the first line begins with.
  ///   - rest: what the others begin with.
  public static func wrapped(_ text: String, width: Int, first: String = "", rest: String = "") -> [String] {
    var lines: [String] = []
    var line = first
    var isEmpty = true
    let room = max(1, width - DisplayWidth.of(rest))
    for word in text.split(separator: " ").flatMap({ pieces(of: $0, room) }) {
      if !isEmpty, DisplayWidth.of(line) + 1 + DisplayWidth.of(String(word)) > width {
        lines.append(line)
        line = rest
        isEmpty = true
      }
      line += (isEmpty ? "" : " ") + word
      isEmpty = false
    }
    return lines + [line]
  }

  private static func pieces(of word: Substring, _ room: Int) -> [Substring] {
    var pieces: [Substring] = []
    var rest = word
    while DisplayWidth.of(String(rest)) > room {
      var used = 0
      let piece = rest.prefix { character in
        used += DisplayWidth.of(String(character))
        return used <= room
      }
      guard !piece.isEmpty else { break }
      pieces.append(piece)
      rest = rest.dropFirst(piece.count)
    }
    return pieces + [rest]
  }
}
