// SPDX-License-Identifier: Apache-2.0
/// Turns what other programs make of a recording into the text that `TransitionReader` reads: UTF-16 into UTF-8, tabs
/// or semicolons between cells into commas, and JSON that isn't one object per line into that.
///
/// A stream: bytes come in pieces of any size.
struct ForeignText {
  enum Encoding {
    case utf8
    /// Of each 16-bit unit the low byte comes first, or the high one.
    case utf16(lowFirst: Bool)
  }

  enum Shape {
    case lines
    /// Cells separated by this byte.
    case separated(UInt8)
    case json
  }

  private let encoding: Encoding
  private var cells: ForeignCells?
  private var objects: ForeignObjects?
  /// The first byte of a unit, and the first unit of a pair.
  private var byte: UInt8?
  private var surrogate: UInt32?

  init(_ encoding: Encoding) {
    self.encoding = encoding
  }

  /// Sets the shape, once the text's beginning shows it.
  mutating func take(_ shape: Shape) {
    switch shape {
    case .lines: break
    case .separated(let separator): cells = ForeignCells(separator: separator)
    case .json: objects = ForeignObjects()
    }
  }

  /// Whether a JSON array has not been closed.
  var isUnclosed: Bool { objects?.isUnclosed ?? false }

  /// The encoding of a file that isn't UTF-8: by its byte order mark, or because ASCII has a zero byte in each unit.
  ///
  /// - Parameter bytes: the first ones.
  static func encoding(_ bytes: some Collection<UInt8>) -> Encoding? {
    let first = Array(bytes.prefix(2))
    guard first.count == 2 else { return nil }
    switch (first[0], first[1]) {
    case (0xff, 0xfe), (1..., 0): return .utf16(lowFirst: true)
    case (0xfe, 0xff), (0, 1...): return .utf16(lowFirst: false)
    default: return nil
    }
  }

  /// The shape of a text whose first line isn't one of ours.
  static func shape(_ line: some BidirectionalCollection<UInt8>) -> Shape? {
    let text = line.drop { $0 == 32 || $0 == 9 || $0 == 13 }
    guard let first = text.first else { return nil }
    if first == UInt8(ascii: "[") { return .json }
    if first == UInt8(ascii: "{") {
      // One object per line is what we write ourselves.
      let last = text.last { $0 != 32 && $0 != 13 }
      return last == UInt8(ascii: "}") ? nil : .json
    }
    guard !text.contains(UInt8(ascii: ",")), TcpstatesLayout(header: line) == nil else { return nil }
    for separator in [UInt8(ascii: "\t"), UInt8(ascii: ";")] where text.contains(separator) {
      return .separated(separator)
    }
    return nil
  }

  /// - Parameter isLast: no more bytes follow.
  mutating func convert(_ bytes: some Sequence<UInt8>, isLast: Bool) -> [UInt8] {
    shaped(decoded(bytes), isLast: isLast)
  }

  /// The same, for text that is decoded already.
  mutating func shaped(_ text: [UInt8], isLast: Bool) -> [UInt8] {
    if cells != nil { return cells?.convert(text, isLast: isLast) ?? text }
    return objects?.convert(text) ?? text
  }

  mutating func decoded(_ bytes: some Sequence<UInt8>) -> [UInt8] {
    guard case .utf16(let lowFirst) = encoding else { return Array(bytes) }
    var text: [UInt8] = []
    for next in bytes {
      guard let first = byte else {
        byte = next
        continue
      }
      byte = nil
      decode(lowFirst ? UInt32(next) << 8 | UInt32(first) : UInt32(first) << 8 | UInt32(next), &text)
    }
    return text
  }

  private mutating func decode(_ unit: UInt32, _ text: inout [UInt8]) {
    var scalar = unit
    if let high = surrogate {
      surrogate = nil
      guard (0xdc00..<0xe000).contains(unit) else {
        text += Array("\u{fffd}".utf8)
        return decode(unit, &text)
      }
      scalar = 0x10000 + (high - 0xd800) << 10 + (unit - 0xdc00)
    } else if (0xd800..<0xdc00).contains(unit) {
      surrogate = unit
      return
    }
    // The byte order mark says nothing more.
    if scalar != 0xfeff { text += Array(String(Unicode.Scalar(scalar) ?? "\u{fffd}").utf8) }
  }
}

/// Cells separated by something else than commas, as CSV.
struct ForeignCells {
  let separator: UInt8
  private var cell: [UInt8] = []
  private var isQuoted = false

  init(separator: UInt8) {
    self.separator = separator
  }

  mutating func convert(_ text: [UInt8], isLast: Bool) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(text.count + 16)
    for byte in text {
      if byte == UInt8(ascii: "\""), cell.isEmpty || isQuoted {
        isQuoted.toggle()
      } else if !isQuoted, byte == separator || byte == UInt8(ascii: "\n") {
        end(&result)
        result.append(byte == separator ? UInt8(ascii: ",") : byte)
        continue
      }
      cell.append(byte)
    }
    if isLast { end(&result) }
    return result
  }

  private mutating func end(_ result: inout [UInt8]) {
    let comma = UInt8(ascii: ",")
    if cell.first == UInt8(ascii: "\"") || !cell.contains(comma) {
      result += cell
    } else if cell.allSatisfy({ $0 == comma || (48...57).contains($0) }) {
      // Where semicolons separate, the comma is the decimal point.
      result += cell.map { $0 == comma ? UInt8(ascii: ".") : $0 }
    } else {
      result.append(UInt8(ascii: "\""))
      for byte in cell {
        if byte == UInt8(ascii: "\"") { result.append(byte) }
        result.append(byte)
      }
      result.append(UInt8(ascii: "\""))
    }
    cell.removeAll(keepingCapacity: true)
    isQuoted = false
  }
}

/// An array of JSON objects, or objects over several lines, as one object per line.
struct ForeignObjects {
  private var depth = 0
  private var isInString = false
  private var isEscaped = false
  private var isOpen = false
  /// Whether something is being copied that is no object; the reader says what is wrong with it.
  private var isOther = false

  var isUnclosed: Bool { isOpen }

  mutating func convert(_ text: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(text.count + 16)
    for byte in text { convert(byte, &result) }
    return result
  }

  private mutating func convert(_ byte: UInt8, _ result: inout [UInt8]) {
    if depth == 0 { return begin(byte, &result) }
    if isInString {
      if isEscaped {
        isEscaped = false
      } else if byte == UInt8(ascii: "\\") {
        isEscaped = true
      } else if byte == UInt8(ascii: "\"") {
        isInString = false
      }
      return result.append(byte)
    }
    switch byte {
    case UInt8(ascii: "\""): isInString = true
    case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
    case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
    case UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"): return result.append(32)
    default: break
    }
    result.append(byte)
    if depth == 0 { result.append(UInt8(ascii: "\n")) }
  }

  /// Between objects.
  private mutating func begin(_ byte: UInt8, _ result: inout [UInt8]) {
    switch byte {
    case UInt8(ascii: "{"):
      if isOther { result.append(UInt8(ascii: "\n")) }
      isOther = false
      depth = 1
      result.append(byte)
    case UInt8(ascii: "\n") where isOther:
      isOther = false
      result.append(byte)
    case UInt8(ascii: "[") where !isOther: isOpen = true
    case UInt8(ascii: "]") where !isOther: isOpen = false
    case UInt8(ascii: ","), 9, 10, 13, 32: break
    default:
      isOther = true
      result.append(byte)
    }
  }
}
