// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// Reads one line of JSON Lines, an object of strings and numbers (RFC 8259), into a transition.
extension TransitionReader {
  /// - Parameters:
  ///   - start: the line.
  ///   - end: its line end.
  mutating func readObject(
    _ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, to row: UnsafeMutablePointer<Transition>
  ) throws(RecordingError) {
    var scanner = JSONScanner(next: start, end: end)
    json.begin()
    hasDuration = false
    scanner.skipSpaces()
    guard scanner.take("{") else { throw notAnObject(start, end) }
    scanner.skipSpaces()
    if scanner.take("}") { throw foreign(start, end) }
    var isOurs = false
    while true {
      guard scanner.take("\""), let key = scanner.plainString() else { throw notAnObject(start, end) }
      scanner.skipSpaces()
      guard scanner.take(":") else { throw notAnObject(start, end) }
      scanner.skipSpaces()
      let (column, isNew) = json.column(of: key)
      if isNew, let column, !columns.contains(column) { columns.append(column) }
      isOurs = isOurs || column != nil
      guard let isKnown = scanner.value(into: &json.value) else { throw notAnObject(start, end) }
      if isKnown, let column { try readValue(column, to: row) }
      scanner.skipSpaces()
      if scanner.take("}") { break }
      guard scanner.take(",") else { throw notAnObject(start, end) }
      scanner.skipSpaces()
    }
    guard isOurs else { throw foreign(start, end) }
    if !hasDuration { row.pointee.stay = nil }
    try finishObject(&scanner, start, end)
  }

  private func finishObject(
    _ scanner: inout JSONScanner, _ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>
  ) throws(RecordingError) {
    scanner.skipSpaces()
    guard scanner.next == end else { throw notAnObject(start, end) }
  }

  private func foreign(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> RecordingError {
    RecordingError(
      line: line,
      "is a JSON object without any key of a recording: \(RecordingError.quoted(UnsafeBufferPointer(start: start, count: end - start)))"
    )
  }

  private func notAnObject(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> RecordingError {
    RecordingError(
      line: line,
      "is not a JSON object of strings and numbers: \(RecordingError.quoted(UnsafeBufferPointer(start: start, count: end - start)))"
    )
  }

  /// Stores the value in `json` in its field.
  private mutating func readValue(
    _ column: Column, to row: UnsafeMutablePointer<Transition>
  ) throws(RecordingError) {
    var bytes: [UInt8] = []
    swap(&bytes, &json.value)
    defer { swap(&bytes, &json.value) }
    let count = bytes.count
    bytes.append(slack: Cell.slack)
    try readText(bytes, count, column, to: row)
  }
}

/// Parses as much JSON as recordings need.
struct JSONScanner {
  var next: UnsafePointer<UInt8>
  let end: UnsafePointer<UInt8>

  mutating func skipSpaces() {
    while next < end, next.pointee == 32 || next.pointee == 9 || next.pointee == 13 { next += 1 }
  }

  mutating func take(_ byte: Unicode.Scalar) -> Bool {
    guard next < end, next.pointee == UInt8(ascii: byte) else { return false }
    next += 1
    return true
  }

  /// The rest of a string without escapes, and its quote.
  mutating func plainString() -> UnsafeBufferPointer<UInt8>? {
    let start = next
    while next < end, next.pointee != UInt8(ascii: "\"") {
      if next.pointee == UInt8(ascii: "\\") || next.pointee < 32 { return nil }
      next += 1
    }
    guard next < end else { return nil }
    next += 1
    return UnsafeBufferPointer(start: start, count: next - 1 - start)
  }

  /// Reads a value's text.
  ///
  /// - Returns: false for null and for anything else that is neither string nor number; `nil` if it isn't JSON.
  mutating func value(into text: inout [UInt8]) -> Bool? {
    text.removeAll(keepingCapacity: true)
    guard next < end else { return nil }
    switch next.pointee {
    case UInt8(ascii: "\""):
      next += 1
      return string(into: &text) ? true : nil
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      return skipNested() ? false : nil
    default:
      let start = next
      while next < end, Self.isOfWord(next.pointee) { next += 1 }
      guard next > start else { return nil }
      text.append(contentsOf: UnsafeBufferPointer(start: start, count: next - start))
      return start.pointee == UInt8(ascii: "-") || (48...57).contains(start.pointee)
    }
  }

  private static func isOfWord(_ byte: UInt8) -> Bool {
    (48...57).contains(byte) || (97...122).contains(byte | 0x20) || byte == 43 || byte == 45 || byte == 46
  }

  private mutating func string(into text: inout [UInt8]) -> Bool {
    while next < end {
      let start = next
      while next < end, next.pointee != UInt8(ascii: "\""), next.pointee != UInt8(ascii: "\\") { next += 1 }
      text.append(contentsOf: UnsafeBufferPointer(start: start, count: next - start))
      guard next + 1 <= end else { return false }
      if take("\"") { return true }
      guard take("\\"), escape(into: &text) else { return false }
    }
    return false
  }

  private mutating func escape(into text: inout [UInt8]) -> Bool {
    guard next < end else { return false }
    let byte = next.pointee
    next += 1
    switch byte {
    case UInt8(ascii: "n"): text.append(10)
    case UInt8(ascii: "t"): text.append(9)
    case UInt8(ascii: "r"): text.append(13)
    case UInt8(ascii: "b"): text.append(8)
    case UInt8(ascii: "f"): text.append(12)
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "u"):
      guard var unit = hex4() else { return false }
      if (0xd800..<0xdc00).contains(unit) {
        guard take("\\"), take("u"), let low = hex4(), (0xdc00..<0xe000).contains(low) else { return false }
        unit = 0x10000 + (unit - 0xd800) << 10 + (low - 0xdc00)
      }
      guard let scalar = Unicode.Scalar(unit) else { return false }
      text.append(contentsOf: String(Character(scalar)).utf8)
    default: return false
    }
    return true
  }

  private mutating func hex4() -> UInt32? {
    guard end - next >= 4 else { return nil }
    let digits = UnsafeBufferPointer(start: next, count: 4)
    next += 4
    guard digits.first != 43, digits.first != 45 else { return nil }  // Swift accepts a sign
    return UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
  }

  /// Skips an array or object.
  private mutating func skipNested() -> Bool {
    var depth = 0
    while next < end {
      let byte = next.pointee
      next += 1
      switch byte {
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        depth -= 1
        if depth == 0 { return true }
      case UInt8(ascii: "\""):
        var ignored: [UInt8] = []
        guard string(into: &ignored) else { return false }
      default: break
      }
    }
    return false
  }
}
