// SPDX-License-Identifier: Apache-2.0

/// A table whose rows are all known before it is written: each column is as wide as its widest cell.
public struct TextTable: Sendable {
  public enum Alignment: Sendable {
    case left, right
  }

  private struct Cell {
    var text: String
    var width: Int
    var color: StaticString?

    init(text: String, width: Int, color: StaticString? = nil) {
      self.text = text
      self.width = width
      self.color = color
    }
  }

  private let titles: [Cell]
  private let alignments: [Alignment]
  private var rows: [[Cell]] = []

  /// Titles are written unchanged, by convention in capitals.
  public init(_ columns: [(title: String, alignment: Alignment)]) {
    titles = columns.map { Cell(text: $0.title, width: DisplayWidth.of($0.title)) }
    alignments = columns.map(\.alignment)
  }

  /// Adds a row.
  ///
  /// Missing cells are empty; cells beyond the last column follow it without alignment.
  ///
  /// - Parameters:
  ///   - cells: safe on a terminal.
  ///   - color: of the first cell.
  public mutating func add(_ cells: [String], color: StaticString? = nil) {
    rows.append(
      cells.enumerated().map { index, text in
        Cell(text: text, width: DisplayWidth.of(text), color: index == 0 ? color : nil)
      })
  }

  /// Adds a line above the rows that follow; it doesn't widen a column.
  public mutating func add(title: String) {
    rows.append([Cell(text: title, width: 0, color: nil)])
  }

  /// Adds a detail to each row: behind it if the line still fits the terminal, else on lines below it.
  ///
  /// - Parameters:
  ///   - details: by row; empty ones add nothing. The table has no title lines.
  ///   - terminal: its columns; `nil` if it isn't one.
  public mutating func addDetails(_ details: [String], terminal: Int?) {
    let start = width() + 2
    var all: [[Cell]] = []
    for (row, detail) in zip(rows, details) {
      let cell = Cell(text: detail, width: DisplayWidth.of(detail), color: nil)
      guard !detail.isEmpty, let terminal, start + cell.width > terminal else {
        all.append(
          detail.isEmpty
            ? row : row + Array(repeating: Cell(text: "", width: 0), count: titles.count - row.count) + [cell])
        continue
      }
      all.append(row)
      for line in FittedText.wrapped(detail, width: terminal, first: "    ", rest: "    ") {
        all.append([Cell(text: line, width: 0, color: nil)])
      }
    }
    rows = all
  }

  /// How many columns of a terminal its rows take, without title lines and cells beyond the last column.
  public func width(header: Bool = true) -> Int {
    widths(header).reduce(0) { $0 + $1 + 2 } - 2
  }

  private func widths(_ header: Bool) -> [Int] {
    var widths = titles.map { header ? $0.width : 0 }
    for row in rows {
      for (index, cell) in row.enumerated() where index < widths.count {
        widths[index] = max(widths[index], cell.width)
      }
    }
    return widths
  }

  /// Appends header and rows.
  public func append(to buffer: inout ByteBuffer, header: Bool = true, color: Bool = false) {
    let widths = widths(header)
    if header {
      if color { buffer.append(StateColor.heading) }
      append(titles, widths, color: false, to: &buffer)
      if color { buffer.append(StateColor.reset) }
      buffer.append(UInt8(ascii: "\n"))
    }
    for row in rows {
      append(row, widths, color: color, to: &buffer)
      buffer.append(UInt8(ascii: "\n"))
    }
  }

  private func append(_ row: [Cell], _ widths: [Int], color: Bool, to buffer: inout ByteBuffer) {
    // A line of its own is in no column.
    if row.count == 1, row[0].width == 0 { return buffer.append(row[0].text) }
    // Padding is written only before another cell, so lines end without spaces.
    var owed = 0
    for (index, cell) in row.enumerated() {
      let slack = index < widths.count ? widths[index] - cell.width : 0
      let left = index < alignments.count && alignments[index] == .right ? slack : 0
      if !cell.text.isEmpty {
        buffer.append(spaces: owed + left)
        owed = 0
        if color, let sgr = cell.color { buffer.append(sgr) }
        buffer.append(cell.text)
        if color, cell.color != nil { buffer.append(StateColor.reset) }
      } else {
        owed += left
      }
      owed += slack - left + 2
    }
  }
}
