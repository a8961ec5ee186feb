import CCells
import TCPStateCore

/// From the cells of one row to the fields of a transition.
extension TransitionReader {
  /// Reads one row, without quotes or anything else unusual in it, whose cells are found all at once.
  ///
  /// - Returns: the bytes of the row and its line end; `nil`, with nothing said, if it isn't that or has no end yet.
  @inline(__always)
  mutating func readPlain(
    _ start: UnsafePointer<UInt8>, to row: inout Transition
  ) throws(RecordingError) -> Int? {
    let count = columns.count
    let found = cells_of_row(start, ends, count)
    guard found == count else {
      // Told before any value that is in a wrong column.
      if found > 0 { throw hasCells(found) }
      return nil
    }
    for index in 0..<fieldCount {
      let field = fields[index]
      let cell = cell(start, Int(field.place))
      if cell.count > 0, !read(field.column, cell, to: &row) { try checkNull(field.column, cell.bytes) }
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
    _ cursor: inout CellCursor, end: UnsafePointer<UInt8>, to row: inout Transition
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
        guard try readQuoted(&cursor, column, end: end, to: &row) else { return false }
      } else {
        cursor.skip()
        if cursor.next >= end { return false }
        let cell = Cell(start, count: cursor.next - start)
        if cell.count > 0, let column, !read(column, cell, to: &row) { try checkNull(column, cell.bytes) }
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
            ? hasCells(index).what : "has a byte after a cell that is none of text")
    }
    cursor.next += 1
    return true
  }

  private func hasCells(_ count: Int) -> RecordingError {
    RecordingError(line: line, "has \(count) cell\(count == 1 ? "" : "s"), the header has \(columns.count)")
  }

  /// Anything but a value of its kind is wrong, unless it stands for unknown.
  @inline(never)
  mutating func checkNull(_ column: Column, _ cell: some Collection<UInt8>) throws(RecordingError) {
    if !nullText.isEmpty, cell.elementsEqual(nullText) { return }
    for null in ["\\N", "NULL", "NA", "null"] where cell.elementsEqual(null.utf8) { return }
    throw RecordingError(line: line, "\(column.csvName): \(RecordingError.quoted(cell)) is not \(column.kind)")
  }

  /// Reads a cell in quotes (RFC 4180): a name, or a value that another tool has quoted.
  @inline(never)
  private mutating func readQuoted(
    _ cursor: inout CellCursor, _ column: Column?, end: UnsafePointer<UInt8>, to row: inout Transition
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
    if column.isName {
      set(column, ShortName(bytes: bytes), in: &row)
    } else if !bytes.isEmpty {
      let count = bytes.count
      bytes.append(contentsOf: repeatElement(0, count: Cell.slack))
      let isRead = bytes.withUnsafeBufferPointer { bytes in
        guard let start = bytes.baseAddress else { return false }
        return read(column, Cell(start, count: count), to: &row)
      }
      if !isRead {
        try checkNull(column, bytes[..<count])
      }
    }
    line += lines
    return true
  }

  mutating func set(_ column: Column, _ name: ShortName, in row: inout Transition) {
    switch column {
    case .processName: row.ownerName = name
    case .actorName: row.actorName = name
    default: row.congestionControl = name
    }
  }
}

extension Column {
  var isName: Bool { self == .processName || self == .actorName || self == .congestionControl }

  /// What its cells hold, for messages.
  var kind: StaticString {
    switch self {
    case .timestamp: "a time such as 2026-11-23T21:12:03.204131000Z"
    case .connectionID: "a connection id of 16 hexadecimal digits"
    case .role: "client, server, listener or unknown"
    case .networkType: "ipv4 or ipv6"
    case .localAddress, .peerAddress: "an IP address"
    case .localPort, .peerPort: "a port"
    case .stateOld, .stateNew: "a state"
    case .durationKind: "exact or at_least"
    case .source: "event, snapshot or derived"
    case .reason: "a reason"
    case .closer: "active, passive or both"
    case .socketAddress: "a hexadecimal address"
    default: "a number"
    }
  }
}
