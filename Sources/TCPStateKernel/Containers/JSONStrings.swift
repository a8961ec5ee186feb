// SPDX-License-Identifier: Apache-2.0

/// Takes single strings out of a JSON document (RFC 8259) and skips everything else without keeping it, because files of
/// container runtimes hold their containers' environment too.
///
/// Methods return false or `nil` where the document isn't JSON; whatever was found until then stays found.
struct JSONStrings {
  /// Longer strings are skipped, in bytes.
  private static let longest = 4096

  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Calls `body` with the key of each member of an object; it has to take the value.
  mutating func forEachMember(_ body: (inout JSONStrings, String) -> Bool) -> Bool {
    guard take("{") else { return false }
    if take("}") { return true }
    repeat {
      guard let key = string(), take(":"), body(&self, key) else { return false }
    } while take(",")
    return take("}")
  }

  /// Calls `body` for each element of an array; it has to take the element.
  mutating func forEachElement(_ body: (inout JSONStrings) -> Bool) -> Bool {
    guard take("[") else { return false }
    if take("]") { return true }
    repeat {
      guard body(&self) else { return false }
    } while take(",")
    return take("]")
  }

  /// Takes a string; empty if it is too long to be a name.
  mutating func string() -> String? {
    guard take("\"") else { return nil }
    let start = position
    guard let end = skipString() else { return nil }
    guard end - start <= Self.longest else { return "" }
    let raw = bytes[start..<end]
    return raw.contains(0x5c) ? Self.unescaped(raw) : String(decoding: raw, as: UTF8.self)
  }

  /// Takes a value of any kind and forgets it.
  mutating func skip() -> Bool {
    var depth = 0
    skipSpaces()
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      case UInt8(ascii: "\""): if skipString() == nil { return false }
      default: break
      }
      guard depth == 0 else { continue }
      // A number or a word ends where the next byte isn't one of it.
      let next = position < bytes.count ? bytes[position] : UInt8(ascii: ",")
      switch next {
      case UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"), 9, 10, 13, 32: return true
      default: if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") { return false }
      }
    }
    return false
  }

  private mutating func skipSpaces() {
    while position < bytes.count, [9, 10, 13, 32].contains(bytes[position]) { position += 1 }
  }

  private mutating func take(_ byte: Unicode.Scalar) -> Bool {
    skipSpaces()
    guard position < bytes.count, bytes[position] == UInt8(ascii: byte) else { return false }
    position += 1
    return true
  }

  /// - Returns: where the string ends, before its quote.
  private mutating func skipString() -> Int? {
    while position < bytes.count {
      let byte = bytes[position]
      position += byte == 0x5c ? 2 : 1
      if byte == UInt8(ascii: "\"") { return position - 1 }
    }
    return nil
  }

  /// Surrogates and unknown escapes become U+FFFD: no name that a runtime accepts has any.
  private static func unescaped(_ raw: ArraySlice<UInt8>) -> String {
    var result = ""
    var scalars = String(decoding: raw, as: UTF8.self).unicodeScalars.makeIterator()
    while let scalar = scalars.next() {
      guard scalar == "\\" else {
        result.unicodeScalars.append(scalar)
        continue
      }
      switch scalars.next() {
      case "n": result += "\n"
      case "t": result += "\t"
      case "r": result += "\r"
      case "b": result += "\u{8}"
      case "f": result += "\u{c}"
      case "u":
        var digits = ""
        for _ in 0..<4 { if let digit = scalars.next() { digits.unicodeScalars.append(digit) } }
        result.unicodeScalars.append(UInt32(digits, radix: 16).flatMap { Unicode.Scalar($0) } ?? "\u{fffd}")
      case let plain? where plain == "\"" || plain == "\\" || plain == "/": result.unicodeScalars.append(plain)
      default: result += "\u{fffd}"
      }
    }
    return result
  }
}
