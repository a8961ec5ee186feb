import TCPStateCore

/// Transitions as CSV: RFC 4180 with LF, UTF-8, one header, and an unquoted
/// empty cell, or the chosen text, for what isn't known. Rows are written
/// without allocation once the buffer has grown.
public struct CSVWriter: Sendable {
  public let columns: [Column]
  public let style: CSVStyle

  private var time = TimeText()
  private let words = FieldWords()
  private let beginsWithDefaults: Bool
  /// The worst case of one row.
  private let room: Int

  public init(columns: [Column] = Column.defaults, style: CSVStyle = CSVStyle()) {
    self.columns = columns
    self.style = style
    beginsWithDefaults = columns.starts(with: Column.defaults)
    room = columns.count * (max(NameText.room, style.null.count) + 1) + 1
  }

  /// Appends the header and its line end.
  public func appendHeader(to buffer: inout ByteBuffer) {
    for (index, column) in columns.enumerated() {
      if index > 0 { buffer.append(UInt8(ascii: ",")) }
      buffer.append(column.csvName)
    }
    buffer.append(UInt8(ascii: "\n"))
  }

  /// Appends one row and its line end.
  public mutating func append(_ row: Transition, to buffer: inout ByteBuffer) {
    var cursor = buffer.cursor(room: room)
    if beginsWithDefaults { putDefaults(of: row, to: &cursor) }
    var index = beginsWithDefaults ? Column.defaultCount : 0
    while index < columns.count {
      putCell(columns[index], of: row, to: &cursor)
      index += 1
    }
    // The last comma becomes the line end; without columns there is none.
    if columns.isEmpty { cursor.next += 1 }
    (cursor.next - 1).pointee = UInt8(ascii: "\n")
    buffer.commit(cursor)
  }

  /// Appends one value alone, as a cell.
  mutating func append(cell value: FieldValue, to buffer: inout ByteBuffer) {
    var cursor = buffer.cursor(room: max(NameText.room, style.null.count))
    put(value, to: &cursor)
    buffer.commit(cursor)
  }

  /// The default columns one after the other: with each column a constant, the
  /// compiler drops the dispatch, a third of the time.
  private mutating func putDefaults(of row: Transition, to cursor: inout ByteCursor) {
    putCell(.timestamp, of: row, to: &cursor)
    putCell(.timestampUnixNano, of: row, to: &cursor)
    putCell(.sequence, of: row, to: &cursor)
    putCell(.connectionID, of: row, to: &cursor)
    putCell(.role, of: row, to: &cursor)
    putCell(.processPID, of: row, to: &cursor)
    putCell(.processName, of: row, to: &cursor)
    putCell(.userID, of: row, to: &cursor)
    putCell(.cgroupID, of: row, to: &cursor)
    putCell(.netns, of: row, to: &cursor)
    putCell(.networkType, of: row, to: &cursor)
    putCell(.localAddress, of: row, to: &cursor)
    putCell(.localPort, of: row, to: &cursor)
    putCell(.peerAddress, of: row, to: &cursor)
    putCell(.peerPort, of: row, to: &cursor)
    putCell(.stateOld, of: row, to: &cursor)
    putCell(.stateNew, of: row, to: &cursor)
    putCell(.stateDuration, of: row, to: &cursor)
    putCell(.durationKind, of: row, to: &cursor)
    putCell(.source, of: row, to: &cursor)
    putCell(.actorPID, of: row, to: &cursor)
    putCell(.actorName, of: row, to: &cursor)
    putCell(.reason, of: row, to: &cursor)
    putCell(.bytesSent, of: row, to: &cursor)
    putCell(.bytesReceived, of: row, to: &cursor)
    putCell(.rtt, of: row, to: &cursor)
    putCell(.retransmits, of: row, to: &cursor)
  }

  @inline(__always)
  private mutating func putCell(
    _ column: Column, of row: Transition, to cursor: inout ByteCursor
  ) {
    put(column.value(of: row, words), to: &cursor)
    cursor.put(UInt8(ascii: ","))
  }

  @inline(__always)
  private mutating func put(_ value: FieldValue, to cursor: inout ByteCursor) {
    switch value {
    case .unknown: putNull(to: &cursor)
    case .number(let number), .wideNumber(let number): cursor.put(decimal: number)
    case .identifier(let number): cursor.put(hex16: number)
    case .pointer(let number): cursor.put(shortHex: number)
    case .word(let word): cursor.put(word)
    case .name(let name):
      if style.writesPlainly(name) {
        cursor.put(name.storage.0, name.storage.1, count: name.count)
      } else {
        cursor.put(csv: name, style)
      }
    case .address(let address): cursor.put(address)
    case .time(let time): self.time.put(rfc3339: time, to: &cursor)
    case .unixNano(let time): self.time.put(unixNano: time, to: &cursor)
    }
  }

  @inline(__always)
  private func putNull(to cursor: inout ByteCursor) {
    guard !style.null.isEmpty else { return }
    style.null.withUnsafeBytes { bytes in
      if let start = bytes.baseAddress { cursor.put(start, count: bytes.count) }
    }
  }
}
