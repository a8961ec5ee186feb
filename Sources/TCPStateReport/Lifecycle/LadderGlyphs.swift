// SPDX-License-Identifier: Apache-2.0

/// The characters that a ladder is drawn with.
struct LadderGlyphs {
  let line: Character
  /// The line of a segment that wasn't observed.
  let dotted: Character
  let right: Character
  let left: Character
  /// The tail of a RST: the connection ends there.
  let reset: Character
  let separator: String
  let ellipsis: String
}

extension LadderGlyphs {
  static let unicode = LadderGlyphs(
    line: "─", dotted: "┄", right: "▶", left: "◀", reset: "╳", separator: " · ", ellipsis: "…")
  static let ascii = LadderGlyphs(
    line: "-", dotted: ".", right: ">", left: "<", reset: "X", separator: ", ", ellipsis: "...")

  init(for glyphs: Glyphs) {
    self = glyphs.arrowWidth == 1 ? .unicode : .ascii
  }
}
