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
    beginsWithDefaults = columns.starts(with: Column.defaults) && style.null.isEmpty
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

  /// The default columns, unknown ones empty, one after the other: the same as
  /// `putCell` of each, without asking which column and what kind of value it is, which
  /// would take longer than writing it. A test compares the two.
  private mutating func putDefaults(of row: Transition, to cursor: inout ByteCursor) {
    var out = cursor
    putBeginning(of: row, to: &out)
    out.putCell(row.userID)
    out.putCell(row.cgroup)
    out.putCell(row.netns)
    out.putCell(row.isIPv4 ? words.ipv4 : words.ipv6)
    out.put(row.local.address, octets: words.octets)
    out.put(UInt8(ascii: ","))
    out.putCell(port: row.local.port)
    if !row.peer.address.isUnspecified { out.put(row.peer.address, octets: words.octets) }
    out.put(UInt8(ascii: ","))
    out.putCell(port: row.peer.port)
    out.putCell(words.states[Int(row.old.number)])
    out.putCell(words.states[Int(row.new.number)])
    if let stay = row.stay {
      out.putCell(stay.nanoseconds)
      out.putCell(words.durationKinds[Int(stay.kind.rawValue)])
    } else {
      out.put(UInt8(ascii: ","))
      out.put(UInt8(ascii: ","))
    }
    out.putCell(words.sources[Int(row.source.rawValue)])
    out.putCell(row.actorPID)
    putCell(row.actorName, to: &out)
    if let reason = row.reason {
      out.putCell(words.reasons[Int(reason.rawValue)])
    } else {
      out.put(UInt8(ascii: ","))
    }
    out.putCell(row.bytesSent)
    out.putCell(row.bytesReceived)
    out.putCell(row.rttMicroseconds)
    out.putCell(row.retransmits)
    cursor = out
  }

  /// From `timestamp` to `process_name`.
  @inline(__always)
  private mutating func putBeginning(of row: Transition, to out: inout ByteCursor) {
    if row.hasTime { time.put(rfc3339: row.time, to: &out) }
    out.put(UInt8(ascii: ","))
    if row.hasTime { time.put(unixNano: row.time, to: &out) }
    out.put(UInt8(ascii: ","))
    out.putCell(row.sequence)
    out.put(hex16: row.connection)
    out.put(UInt8(ascii: ","))
    out.putCell(words.roles[Int(row.role.rawValue)])
    out.putCell(row.ownerPID)
    putCell(row.ownerName, to: &out)
  }

  @inline(__always)
  private func putCell(_ name: ShortName, to out: inout ByteCursor) {
    if style.writesPlainly(name) {
      out.put(name.storage.0, name.storage.1, count: name.count)
    } else if !name.isEmpty {
      putUnplain(name, to: &out)
    }
    out.put(UInt8(ascii: ","))
  }

  /// Apart, with a cursor of its own, so that the caller's needn't be in memory.
  @inline(__always)
  private func putUnplain(_ name: ShortName, to out: inout ByteCursor) {
    out = Self.appended(name, to: out, style)
  }

  @inline(never)
  private static func appended(_ name: ShortName, to cursor: ByteCursor, _ style: CSVStyle) -> ByteCursor {
    var cursor = cursor
    cursor.put(csv: name, style)
    return cursor
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
    case .text(let text): cursor.put(text)
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

/// Cells with their comma; what isn't known is empty.
extension ByteCursor {
  @inline(__always)
  fileprivate mutating func putCell(_ number: UInt64) {
    put(decimal: number)
    put(UInt8(ascii: ","))
  }

  @inline(__always)
  fileprivate mutating func putCell(_ number: UInt64?) {
    if let number { put(decimal: number) }
    put(UInt8(ascii: ","))
  }

  @inline(__always)
  fileprivate mutating func putCell(_ number: UInt32?) {
    if let number { put(decimal: UInt64(number)) }
    put(UInt8(ascii: ","))
  }

  @inline(__always)
  fileprivate mutating func putCell(port: UInt16) {
    if port != 0 { put(decimal: UInt64(port)) }
    put(UInt8(ascii: ","))
  }

  @inline(__always)
  fileprivate mutating func putCell(_ word: Word) {
    put(word)
    put(UInt8(ascii: ","))
  }
}
