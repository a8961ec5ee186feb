// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// Transitions as CSV: RFC 4180 with LF, UTF-8, one header. A value that isn't
/// known is an unquoted empty cell, or the chosen text. Rows are written
/// without allocation once the buffer has grown.
public struct CSVWriter {
  public let columns: [Column]
  public let style: CSVStyle

  private var time = TimeText()
  private let owners = OwnerCells()
  private let ends = EndCells()
  private let words = FieldWords()
  private let fields: [StoredField]
  /// How many columns `putUnrolled` writes: all that it can, or none.
  private let unrolled: Int
  /// The worst case of one row.
  private let room: Int

  public init(columns: [Column] = Column.defaults, style: CSVStyle = CSVStyle()) {
    self.columns = columns
    self.style = style
    fields = columns.map(\.field)
    let isUnrolled = columns.starts(with: Column.allCases.prefix(Self.unrolledCount)) && style.null.isEmpty
    unrolled = isUnrolled ? Self.unrolledCount : 0
    let widest = columns.reduce(0) { $0 + max($1.field.room, style.null.count) + 1 }
    room = widest + OwnerCells.room + EndCells.room + 1
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
  public mutating func append(_ row: borrowing Transition, to buffer: inout ByteBuffer) {
    withUnsafePointer(to: row) { append($0, to: &buffer) }
  }

  /// Appends a row in place: a value of its size is copied on every call.
  public mutating func append(_ row: UnsafePointer<Transition>, to buffer: inout ByteBuffer) {
    var cursor = buffer.cursor(room: room)
    if unrolled > 0 { putUnrolled(row, to: &cursor) }
    var index = unrolled
    while index < fields.count {
      put(fields[index].value(of: row, words), to: &cursor)
      cursor.put(UInt8(ascii: ","))
      index += 1
    }
    // The last comma becomes the line end; without columns there is none.
    if columns.isEmpty { cursor.next += 1 }
    (cursor.next - 1).pointee = UInt8(ascii: "\n")
    buffer.commit(cursor)
  }

  /// Appends one value alone, as a cell.
  mutating func append(cell value: FieldValue, to buffer: inout ByteBuffer) {
    var cursor = buffer.cursor(room: max(value.room, style.null.count))
    put(value, to: &cursor)
    buffer.commit(cursor)
  }

  /// The first columns of `--columns all`, as far as `putUnrolled` has them.
  private static let unrolledCount = Column.retransmits.rawValue + 1

  /// Writes these columns one after the other, unknown ones empty: the same as `put` of each
  /// value, without asking for its form, which would take longer than writing it. A test compares
  /// the two. A column that isn't here is written by `put`, so a new one needn't be added.
  private mutating func putUnrolled(_ row: UnsafePointer<Transition>, to cursor: inout ByteCursor) {
    var out = cursor
    putBeginning(of: row, to: &out)
    if !owners.put(row, to: &out) { putOwner(of: row, to: &out) }
    if !ends.put(row, to: &out) { putEnds(of: row, to: &out) }
    out.putCell(words.states[Int(row.pointee.old.number)])
    out.putCell(words.states[Int(row.pointee.new.number)])
    if let stay = row.pointee.stay {
      out.putCell(stay.nanoseconds)
      out.putCell(words.durationKinds[Int(stay.kind.rawValue)])
    } else {
      out.put(UInt8(ascii: ","))
      out.put(UInt8(ascii: ","))
    }
    out.putCell(words.sources[Int(row.pointee.source.rawValue)])
    if !owners.putActor(row, to: &out) {
      out.putCell(row.pointee.actorPID)
      putCell(row.pointee.actorName, to: &out)
    }
    if let reason = row.pointee.reason {
      out.putCell(words.reasons[Int(reason.rawValue)])
    } else {
      out.put(UInt8(ascii: ","))
    }
    out.putCell(row.pointee.bytesSent)
    out.putCell(row.pointee.bytesReceived)
    out.putCell(row.pointee.rttMicroseconds)
    out.putCell(row.pointee.retransmits)
    cursor = out
  }

  /// From `timestamp` to `role`.
  @inline(__always)
  private mutating func putBeginning(of row: UnsafePointer<Transition>, to out: inout ByteCursor) {
    if row.pointee.hasTime {
      time.putCells(row.pointee.time, to: &out)
    } else {
      out.put(UInt8(ascii: ","))
      out.put(UInt8(ascii: ","))
    }
    out.putCell(row.pointee.sequence)
    out.put(hex16: row.pointee.connection)
    out.put(UInt8(ascii: ","))
    out.putCell(words.roles[Int(row.pointee.role.rawValue)])
  }

  /// From `process_pid` to `network_type`.
  @inline(never)
  private mutating func putOwner(of row: UnsafePointer<Transition>, to cursor: inout ByteCursor) {
    var out = cursor
    out.putCell(row.pointee.ownerPID)
    putCell(row.pointee.ownerName, to: &out)
    let process = out.next
    out.putCell(row.pointee.userID)
    out.putCell(row.pointee.cgroup)
    out.putCell(row.pointee.netns)
    out.putCell(row.pointee.isIPv4 ? words.ipv4 : words.ipv6)
    owners.keep(row, from: cursor.next, process: process, to: out.next)
    cursor = out
  }

  /// From `local_address` to `peer_port`.
  @inline(never)
  private func putEnds(of row: UnsafePointer<Transition>, to cursor: inout ByteCursor) {
    var out = cursor
    out.put(row.pointee.local.address, octets: words.octets)
    out.put(UInt8(ascii: ","))
    out.putCell(port: row.pointee.local.port)
    if !row.pointee.peer.address.isUnspecified { out.put(row.pointee.peer.address, octets: words.octets) }
    out.put(UInt8(ascii: ","))
    out.putCell(port: row.pointee.peer.port)
    ends.keep(row, from: cursor.next, to: out.next)
    cursor = out
  }

  @inline(__always)
  private func putCell(_ name: ShortName, to out: inout ByteCursor) {
    if !name.isEmpty {
      if style.writesPlainly(name) {
        out.put(name.storage.0, name.storage.1, count: name.count)
      } else {
        putUnplain(name, to: &out)
      }
    }
    out.put(UInt8(ascii: ","))
  }

  /// With a cursor of its own, so that the caller's can stay in a register.
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
    case .interned(let text): cursor.put(csv: text, style)
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

/// Cells with their comma; a value that isn't known is empty.
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
