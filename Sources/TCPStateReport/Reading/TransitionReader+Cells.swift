// SPDX-License-Identifier: Apache-2.0
import CCells
import TCPStateCore

/// Finds the cells of one row and reads them into the fields of a transition.
extension TransitionReader {
  /// Reads one row without quotes or anything else unusual, whose cells are all found at once.
  ///
  /// - Returns: the bytes of the row and its line end; `nil` if the row isn't plain or has no end yet.
  @inline(__always)
  mutating func readPlain(
    _ start: UnsafePointer<UInt8>, to row: UnsafeMutablePointer<Transition>
  ) throws(RecordingError) -> Int? {
    let count = columns.count
    let found = cells_of_row(start, ends, count)
    guard found == count else {
      // Reported before any value that is in the wrong column.
      if found > 0 { throw hasCells(found) }
      return nil
    }
    for index in 0..<fieldCount {
      let field = fields[index]
      let cell = cell(start, Int(field.place))
      if cell.count > 0, !read(field.stored, cell, to: row) { try readOdd(field.column, cell, to: row) }
    }
    return Int(ends[count])
  }

  @inline(__always)
  private func cell(_ start: UnsafePointer<UInt8>, _ place: Int) -> Cell {
    let offset = place == 0 ? 0 : Int(ends[place - 1]) + 1
    return Cell(start + offset, count: Int(ends[place]) - offset)
  }

  /// Reads any row and its line end.
  ///
  /// - Returns: false when the bytes end before the row does.
  @inline(never)
  mutating func readCells(
    _ cursor: inout CellCursor, end: UnsafePointer<UInt8>, to row: UnsafeMutablePointer<Transition>
  ) throws(RecordingError) -> Bool {
    let count = columns.count
    var field = 0
    for index in 0..<count {
      var column: Column?
      if field < fieldCount, Int(fields[field].place) == index {
        column = fields[field].column
        field += 1
      }
      let start = cursor.next
      if cursor.byte == UInt8(ascii: "\"") {
        guard try readQuoted(&cursor, column, end: end, to: row) else { return false }
      } else {
        cursor.skip()
        if cursor.next >= end { return false }
        let cell = Cell(start, count: cursor.next - start)
        if cell.count > 0, let column, !read(column.field, cell, to: row) { try readOdd(column, cell, to: row) }
      }
      guard try readSeparator(&cursor, end: end, isLast: index == count - 1, index + 1) else { return false }
    }
    return true
  }

  @inline(__always)
  private mutating func readSeparator(
    _ cursor: inout CellCursor, end: UnsafePointer<UInt8>, isLast: Bool, _ index: Int
  ) throws(RecordingError) -> Bool {
    if cursor.next >= end { return false }
    if cursor.byte == UInt8(ascii: "\r") {
      cursor.next += 1
      if cursor.next >= end { return false }
    }
    let byte = cursor.byte
    guard byte == (isLast ? UInt8(ascii: "\n") : UInt8(ascii: ",")) else {
      throw RecordingError(
        line: line,
        byte == UInt8(ascii: ",")
          ? "has more cells than the header's \(columns.count)"
          : byte == UInt8(ascii: "\n")
            ? hasCells(index).what : "has a byte after a cell that isn't text")
    }
    cursor.next += 1
    return true
  }

  private func hasCells(_ count: Int) -> RecordingError {
    RecordingError(line: line, "has \(count) cell\(count == 1 ? "" : "s"), the header has \(columns.count)")
  }

  /// Reads a cell that isn't as we write it: a whole number as pandas writes it where others in the column are missing,
  /// 73785.0, or what stands for unknown.
  @inline(never)
  mutating func readOdd(
    _ column: Column, _ cell: Cell, to row: UnsafeMutablePointer<Transition>
  ) throws(RecordingError) {
    if column.field.isWhole, let whole = cell.beforeZeroFraction, read(column.field, whole, to: row) { return }
    try checkNull(column, cell.bytes)
  }

  /// Throws unless the cell, which isn't a value of its column, stands for unknown.
  @inline(never)
  mutating func checkNull(_ column: Column, _ cell: some Collection<UInt8>) throws(RecordingError) {
    if !nullText.isEmpty, cell.elementsEqual(nullText) { return }
    for null in ["\\N", "NULL", "NA", "null", "NaN", "nan", "None"] where cell.elementsEqual(null.utf8) { return }
    throw RecordingError(line: line, "\(column.csvName): \(RecordingError.quoted(cell)) is not \(column.type.phrase)")
  }

  /// Reads a cell in quotes (RFC 4180): a name, or a value that another tool quoted.
  @inline(never)
  private mutating func readQuoted(
    _ cursor: inout CellCursor, _ column: Column?, end: UnsafePointer<UInt8>, to row: UnsafeMutablePointer<Transition>
  ) throws(RecordingError) -> Bool {
    var bytes: [UInt8] = []
    var lines: UInt64 = 0
    cursor.next += 1
    while true {
      if cursor.next >= end { return false }
      let byte = cursor.byte
      cursor.next += 1
      if byte == UInt8(ascii: "\"") {
        if cursor.next >= end { return false }
        guard cursor.byte == UInt8(ascii: "\"") else { break }
        cursor.next += 1
      }
      if byte == UInt8(ascii: "\n") { lines += 1 }
      bytes.append(byte)
    }
    guard let column else {
      line += lines
      return true
    }
    let count = bytes.count
    if count > 0 {
      bytes.append(slack: Cell.slack)
      try readText(bytes, count, column, to: row)
    }
    line += lines
    return true
  }

  /// Reads a value that was in quotes, and is without them now: a name is one even if it reads like null.
  ///
  /// - Parameter bytes: `count` bytes, then `Cell.slack` zero bytes.
  mutating func readText(
    _ bytes: [UInt8], _ count: Int, _ column: Column, to row: UnsafeMutablePointer<Transition>
  ) throws(RecordingError) {
    let field = column.field
    try bytes.withUnsafeBufferPointer { (bytes) throws(RecordingError) in
      guard let start = bytes.baseAddress, !field.setName(start, count: count, in: row) else { return }
      let cell = Cell(start, count: count)
      if count == 0 || !read(field, cell, to: row) { try readOdd(column, cell, to: row) }
    }
  }
}

extension [UInt8] {
  mutating func append(slack count: Int) {
    reserveCapacity(self.count + count)
    for _ in 0..<count { append(0) }
  }
}

extension ColumnType {
  /// For messages: what a cell of this type holds.
  fileprivate var phrase: String {
    switch self {
    case .time: "a time such as 2026-11-23T21:12:03.204131000Z"
    case _ where self == .port: "a port"
    case .integer, .wideInteger, .flag: "a number"
    case .identifier: "a connection id of 16 hexadecimal digits"
    case .hexadecimal: "a hexadecimal address"
    case .word(let words) where words.count > 4: "a reason"
    case .word(let words): words.dropLast().joined(separator: ", ") + " or " + (words.last ?? "")
    case .state: "a state"
    case .address: "an IP address"
    case .name, .text, .endpoint, .holders: "text"
    }
  }
}
