import TCPStateCore

/// Reads the cells of CSV at a place in memory.
///
/// Safe by a rule that `TransitionReader` keeps: at least 32 zero bytes follow
/// the last byte of text, so a scan stops there and whole words may be loaded.
struct CellCursor {
  var next: UnsafePointer<UInt8>

  @inline(__always)
  var byte: UInt8 { next.pointee }

  /// Whether a cell ends here: at a comma, a line end, or the end of what was read.
  @inline(__always)
  var isAtEnd: Bool {
    let byte = next.pointee
    return byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") || byte == 0
  }

  @inline(__always)
  private static func zeroBytes(_ word: UInt64) -> UInt64 {
    (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
  }

  /// Marks the first byte that ends a cell, or isn't text; bits beyond the first hit mean nothing.
  @inline(__always)
  private static func ends(_ word: UInt64) -> UInt64 {
    // Commas, and all below 0x20.
    let controls = (word &- 0x2020_2020_2020_2020) & ~word & 0x8080_8080_8080_8080
    return zeroBytes(word ^ 0x2c2c_2c2c_2c2c_2c2c) | controls
  }

  @inline(__always)
  private func load(_ offset: Int = 0) -> UInt64 {
    UInt64(littleEndian: UnsafeRawPointer(next).loadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }

  /// Passes over an unquoted cell.
  @inline(__always)
  mutating func skip() {
    while true {
      let hits = Self.ends(load())
      if hits != 0 {
        next += hits.trailingZeroBitCount >> 3
        if isAtEnd { return }
        next += 1  // a tab or the like
      } else {
        next += 8
      }
    }
  }

  /// Passes over `count` cells and the commas behind them, if none of them has quotes.
  ///
  /// - Returns: false, with nothing passed over, if that can't be told at once.
  @inline(__always)
  mutating func skip(plainCells count: Int) -> Bool {
    let start = next
    var left = count
    while true {
      let word = load()
      let controls = (word &- 0x2020_2020_2020_2020) & ~word
      let quotes = word ^ 0x2222_2222_2222_2222
      let odd = (controls | (quotes &- 0x0101_0101_0101_0101) & ~quotes) & 0x8080_8080_8080_8080
      var commas = Self.exactZeroBytes(word ^ 0x2c2c_2c2c_2c2c_2c2c)
      // Below the first odd byte only.
      if odd != 0 { commas &= (odd & (0 &- odd)) &- 1 }
      let found = Int(truncatingIfNeeded: ((commas >> 7) &* 0x0101_0101_0101_0101) >> 56)
      if found >= left {
        while left > 1 {
          commas &= commas &- 1
          left -= 1
        }
        next += commas.trailingZeroBitCount >> 3 + 1
        return true
      }
      if odd != 0 {
        next = start
        return false
      }
      left -= found
      next += 8
    }
  }

  /// Marks the bytes that are zero, and no other.
  @inline(__always)
  private static func exactZeroBytes(_ word: UInt64) -> UInt64 {
    let low: UInt64 = 0x7f7f_7f7f_7f7f_7f7f
    return ~(((word & low) &+ low) | word | low)
  }

  /// Reads sixteen lower-case digits at once, as ids are written; `nil` if they aren't that.
  @inline(__always)
  mutating func hex16() -> UInt64? {
    guard let high = Self.hex8(load()), let low = Self.hex8(load(8)) else { return nil }
    next += 16
    return high << 32 | low
  }

  @inline(__always)
  private static func hex8(_ word: UInt64) -> UInt64? {
    let letters = word >> 6 & 0x0101_0101_0101_0101
    let nibbles = (word & 0x0f0f_0f0f_0f0f_0f0f) &+ letters &* 9
    // What they would be written as must be what is there.
    guard nibbles & 0xf0f0_f0f0_f0f0_f0f0 == 0, nibbles &+ 0x3030_3030_3030_3030 &+ letters &* 39 == word else {
      return nil
    }
    var value = nibbles.byteSwapped
    value = (value | value >> 4) & 0x00ff_00ff_00ff_00ff
    value = (value | value >> 8) & 0x0000_ffff_0000_ffff
    return (value | value >> 16) & 0xffff_ffff
  }

  /// Reads digits; `nil` if there is none, or too many.
  @inline(__always)
  mutating func number() -> UInt64? {
    var value: UInt64 = 0
    let start = next
    while true {
      let digit = next.pointee &- 48
      guard digit < 10 else { break }
      value = value &* 10 &+ UInt64(digit)
      next += 1
    }
    let count = next - start
    guard count > 0, count < 20 else { return count == 20 ? Self.longNumber(start) : nil }
    return value
  }

  /// Twenty digits may be too much for 64 bits.
  @inline(never)
  private static func longNumber(_ start: UnsafePointer<UInt8>) -> UInt64? {
    UInt64(String(decoding: UnsafeBufferPointer(start: start, count: 20), as: UTF8.self))
  }

  /// Reads hexadecimal digits; `nil` if there is none, or too many.
  @inline(__always)
  mutating func hex() -> UInt64? {
    var value: UInt64 = 0
    let start = next
    while let digit = Self.hexDigit(next.pointee) {
      value = value &<< 4 | UInt64(digit)
      next += 1
    }
    let count = next - start
    return count > 0 && count <= 16 ? value : nil
  }

  @inline(__always)
  private static func hexDigit(_ byte: UInt8) -> UInt8? {
    let digit = byte &- 48
    if digit < 10 { return digit }
    let letter = (byte | 0x20) &- 97
    return letter < 6 ? letter + 10 : nil
  }

  /// Reads an unquoted cell of at most 16 bytes.
  @inline(__always)
  mutating func word() -> Word? {
    var word = Word()
    let first = load()
    let firstHits = Self.ends(first)
    if firstHits != 0 {
      word.count = firstHits.trailingZeroBitCount >> 3
      word.first = word.count == 0 ? 0 : first & (UInt64.max >> UInt64(64 - 8 * word.count))
    } else {
      word.first = first
      let second = load(8)
      let hits = Self.ends(second)
      let count = hits != 0 ? hits.trailingZeroBitCount >> 3 : 8
      word.second = count == 0 ? 0 : second & (UInt64.max >> UInt64(64 - 8 * count))
      word.count = 8 + count
    }
    next += word.count
    return isAtEnd ? word : nil
  }

  /// Reads dotted IPv4 as one number.
  @inline(__always)
  mutating func v4() -> UInt32? {
    var value: UInt32 = 0
    for part in 0..<4 {
      var octet: UInt32 = 0
      let start = next
      while case let digit = next.pointee &- 48, digit < 10, next - start < 3 {
        octet = octet * 10 + UInt32(digit)
        next += 1
      }
      guard next > start, octet < 256 else { return nil }
      value = value << 8 | octet
      if part < 3 {
        guard next.pointee == UInt8(ascii: ".") else { return nil }
        next += 1
      }
    }
    return value
  }
}
