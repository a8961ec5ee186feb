/// What the arrows of a ladder are drawn with.
struct LadderGlyphs {
  let line: Character
  /// For what wasn't seen.
  let dotted: Character
  let right: Character
  let left: Character
  /// Where a RST starts: the connection ends there.
  let reset: Character
  let separator: String
  let ellipsis: String

  static let unicode = LadderGlyphs(
    line: "─", dotted: "┄", right: "▶", left: "◀", reset: "╳", separator: " · ", ellipsis: "…")
  static let ascii = LadderGlyphs(
    line: "-", dotted: ".", right: ">", left: "<", reset: "X", separator: ", ", ellipsis: "...")

  init(for glyphs: Glyphs) {
    self = glyphs.arrowWidth == 1 ? .unicode : .ascii
  }

  private init(
    line: Character, dotted: Character, right: Character, left: Character, reset: Character, separator: String,
    ellipsis: String
  ) {
    self.line = line
    self.dotted = dotted
    self.right = right
    self.left = left
    self.reset = reset
    self.separator = separator
    self.ellipsis = ellipsis
  }
}
