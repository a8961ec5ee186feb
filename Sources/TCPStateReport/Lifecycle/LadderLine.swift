// SPDX-License-Identifier: Apache-2.0

/// One line of a ladder: text at given columns, with colour, without trailing spaces.
struct LadderLine {
  private(set) var text = ""
  private(set) var width = 0
  private let color: Bool

  init(color: Bool) {
    self.color = color
  }

  /// Puts `cell` at `column`, or one space after the text so far if that is longer.
  mutating func put(_ cell: String, at column: Int, _ sgr: StaticString? = nil) {
    guard !cell.isEmpty else { return }
    let padding = width == 0 ? column : max(column - width, column > width ? 0 : 1)
    text += String(repeating: " ", count: max(padding, 0))
    if color, let sgr { text += "\(sgr)\(cell)\(StateColor.reset)" } else { text += cell }
    width += max(padding, 0) + DisplayWidth.of(cell)
  }

  /// Puts `cell` so that it ends before `column`.
  mutating func put(_ cell: String, endingAt column: Int, _ sgr: StaticString? = nil) {
    put(cell, at: column - DisplayWidth.of(cell), sgr)
  }

  func append(to buffer: inout ByteBuffer) {
    buffer.append(text)
    buffer.append(UInt8(ascii: "\n"))
  }
}
