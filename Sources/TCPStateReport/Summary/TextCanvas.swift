// SPDX-License-Identifier: Apache-2.0

/// A picture of characters: lines, boxes and words at places, with line-drawing characters or in ASCII.
struct TextCanvas {
  /// Columns and rows, counted from 0 at the top left.
  struct Point {
    var x: Int
    var y: Int

    init(_ x: Int, _ y: Int) {
      self.x = x
      self.y = y
    }
  }

  private let width: Int
  private var cells: [[Character]]
  private var colors: [[StaticString?]]
  private let isASCII: Bool

  init(width: Int, height: Int, isASCII: Bool) {
    self.width = width
    self.isASCII = isASCII
    cells = Array(repeating: Array(repeating: " ", count: width), count: height)
    colors = Array(repeating: Array(repeating: nil, count: width), count: height)
  }

  /// Puts a text whose characters each take one column; what doesn't fit is left out.
  mutating func put(_ text: String, at point: Point, color: StaticString? = nil) {
    for (offset, character) in text.enumerated() where cells.indices.contains(point.y) {
      guard (0..<width).contains(point.x + offset) else { return }
      cells[point.y][point.x + offset] = character
      colors[point.y][point.x + offset] = color
    }
  }

  /// The same, with its last character at the point.
  mutating func put(_ text: String, endingAt point: Point) {
    put(text, at: Point(point.x - text.count + 1, point.y))
  }

  /// Draws a box with the outer size.
  mutating func box(at corner: Point, width: Int, height: Int) {
    let right = corner.x + width - 1
    let bottom = corner.y + height - 1
    for x in corner.x...right {
      put("─", at: Point(x, corner.y))
      put("─", at: Point(x, bottom))
    }
    for y in corner.y...bottom {
      put("│", at: Point(corner.x, y))
      put("│", at: Point(right, y))
    }
    for (text, x, y) in [
      ("┌", corner.x, corner.y), ("┐", right, corner.y), ("└", corner.x, bottom), ("┘", right, bottom),
    ] { put(text, at: Point(x, y)) }
  }

  /// Draws a line through points that are each on a row or column with the next, with a head at the last.
  mutating func arrow(_ points: [Point]) {
    for (from, to) in zip(points, points.dropFirst()) {
      for x in min(from.x, to.x)...max(from.x, to.x) where from.y == to.y { put("─", at: Point(x, from.y)) }
      for y in min(from.y, to.y)...max(from.y, to.y) where from.x == to.x { put("│", at: Point(from.x, y)) }
    }
    for index in points.indices.dropFirst().dropLast() {
      put(Self.corner(points[index - 1], points[index], points[index + 1]), at: points[index])
    }
    guard points.count > 1 else { return }
    let (before, end) = (points[points.count - 2], points[points.count - 1])
    put(before.x < end.x ? "▶" : before.x > end.x ? "◀" : before.y < end.y ? "▼" : "▲", at: end)
  }

  private static func corner(_ before: Point, _ at: Point, _ after: Point) -> String {
    let isLeft = before.x < at.x || after.x < at.x
    let isUp = before.y < at.y || after.y < at.y
    return isLeft ? (isUp ? "┘" : "┐") : (isUp ? "└" : "┌")
  }

  private static let replacements: [Character: Character] = [
    "─": "-", "│": "|", "┌": "+", "┐": "+", "└": "+", "┘": "+", "▶": ">", "◀": "<", "▼": "v", "▲": "^",
  ]

  /// Appends its rows, without spaces at their ends.
  func append(to buffer: inout ByteBuffer, color isColored: Bool) {
    for (row, colors) in zip(cells, colors) {
      let end = (row.lastIndex { $0 != " " } ?? -1) + 1
      var current: StaticString?
      for x in 0..<end {
        if isColored, colors[x]?.description != current?.description {
          buffer.append(colors[x] ?? StateColor.reset)
          current = colors[x]
        }
        let character = row[x]
        buffer.append(String(isASCII ? Self.replacements[character] ?? character : character))
      }
      if current != nil { buffer.append(StateColor.reset) }
      buffer.append(UInt8(ascii: "\n"))
    }
  }
}
