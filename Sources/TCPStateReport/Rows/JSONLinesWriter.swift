// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// Transitions as JSON Lines: one object a line (RFC 8259, UTF-8), keyed by
/// `Column.jsonName`. What isn't known is absent. Numbers of 64 bits and ids
/// are strings, because many readers round beyond 2^53. Control characters and
/// invalid UTF-8 are never written raw, so lines are safe on a terminal too.
public struct JSONLinesWriter: Sendable {
  /// A column's field, and where its key `,"name":` is in `keys`.
  private struct Field {
    var stored: StoredField
    var offset: Int
    var count: Int
  }

  public let columns: [Column]

  private let fields: [Field]
  private let keys: [UInt8]
  private var time = TimeText()
  private let words = FieldWords()
  /// The worst case of one row.
  private let room: Int

  public init(columns: [Column] = Column.defaults) {
    self.columns = columns
    var fields: [Field] = []
    var keys: [UInt8] = []
    for column in columns {
      let key = ",\"\(column.jsonName)\":".utf8
      fields.append(Field(stored: column.field, offset: keys.count, count: key.count))
      keys += key
    }
    self.fields = fields
    self.keys = keys
    room = keys.count + columns.reduce(0) { $0 + $1.field.room + 2 } + 3
  }

  /// Appends one object and its line end.
  public mutating func append(_ row: borrowing Transition, to buffer: inout ByteBuffer) {
    withUnsafePointer(to: row) { append($0, to: &buffer) }
  }

  /// Appends a row in place: a value of its size is copied on every call.
  public mutating func append(_ row: UnsafePointer<Transition>, to buffer: inout ByteBuffer) {
    var cursor = buffer.cursor(room: room)
    let start = cursor.next
    // Every key begins with a comma; the brace replaces the first.
    for field in fields {
      let value = field.stored.value(of: row, words)
      if case .unknown = value { continue }
      keys.withUnsafeBytes { keys in
        if let start = keys.baseAddress { cursor.put(start + field.offset, count: field.count) }
      }
      put(value, to: &cursor)
    }
    if cursor.next == start { cursor.next += 1 }
    start.pointee = UInt8(ascii: "{")
    cursor.put(UInt8(ascii: "}"))
    cursor.put(UInt8(ascii: "\n"))
    buffer.commit(cursor)
  }

  /// Appends one value alone; it must be known.
  mutating func append(value: FieldValue, to buffer: inout ByteBuffer) {
    var cursor = buffer.cursor(room: value.room + 2)
    put(value, to: &cursor)
    buffer.commit(cursor)
  }

  @inline(__always)
  private mutating func put(_ value: FieldValue, to cursor: inout ByteCursor) {
    if case .number(let number) = value { return cursor.put(decimal: number) }
    let quote = UInt8(ascii: "\"")
    cursor.put(quote)
    switch value {
    case .unknown, .number: break
    case .wideNumber(let number): cursor.put(decimal: number)
    case .identifier(let number): cursor.put(hex16: number)
    case .pointer(let number): cursor.put(shortHex: number)
    case .word(let word): cursor.put(word)
    case .text(let text): cursor.put(text)
    case .name(let name):
      if name.isPlain {
        cursor.put(name.storage.0, name.storage.1, count: name.count)
      } else {
        cursor.put(json: name)
      }
    case .interned(let text): cursor.put(json: text)
    case .address(let address): cursor.put(address)
    case .time(let time): self.time.put(rfc3339: time, to: &cursor)
    case .unixNano(let time): self.time.put(unixNano: time, to: &cursor)
    }
    cursor.put(quote)
  }
}
