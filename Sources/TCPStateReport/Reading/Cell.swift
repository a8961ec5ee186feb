// SPDX-License-Identifier: Apache-2.0

/// The text of one cell, without its quotes.
///
/// Up to `slack` bytes beyond its end are read, and ignored, so that whole words can be loaded:
/// `TransitionReader` keeps more than that behind everything it reads.
struct Cell {
  static let slack = 16

  let start: UnsafePointer<UInt8>
  let count: Int

  @inline(__always)
  init(_ start: UnsafePointer<UInt8>, count: Int) {
    self.start = start
    self.count = count
  }

  var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: start, count: count) }
  var text: String { String(decoding: bytes, as: UTF8.self) }

  @inline(__always)
  private func load(_ offset: Int = 0) -> UInt64 {
    UInt64(littleEndian: UnsafeRawPointer(start).loadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }

  /// The lowest `count` bytes, of 1…8.
  @inline(__always)
  private static func mask(_ count: Int) -> UInt64 { .max >> UInt64(truncatingIfNeeded: 64 - 8 * count) }

  /// Its bytes as a word; `nil` if there are more than 16.
  @inline(__always)
  var word: Word? {
    guard count <= 16 else { return nil }
    var word = Word()
    word.count = count
    if count > 8 {
      word.first = load()
      word.second = load(8) & Self.mask(count - 8)
    } else if count > 0 {
      word.first = load() & Self.mask(count)
    }
    return word
  }

  /// The digits before a point and zeros, `73785` of `73785.0`; `nil` if it isn't such a number.
  var beforeZeroFraction: Cell? {
    guard let point = bytes.firstIndex(of: UInt8(ascii: ".")), point > 0, point + 1 < count,
      bytes[(point + 1)...].allSatisfy({ $0 == 48 })
    else { return nil }
    return Cell(start, count: point)
  }

  // MARK: - Numbers

  /// Decimal digits; `nil` if it is anything else, or beyond 64 bits.
  @inline(__always)
  var number: UInt64? {
    if count <= 8 { return count > 0 ? Self.digits(load(), count) : nil }
    guard count <= 16 else { return longNumber }
    guard let high = Self.digits(load(), count - 8), let low = Self.digits(load(count - 8), 8) else { return nil }
    return high * 100_000_000 + low
  }

  /// The first `count` bytes of a word, 1…8 of them, as digits: pairs of digits become numbers, all
  /// pairs at once, then pairs of these, and again.
  @inline(__always)
  private static func digits(_ word: UInt64, _ count: Int) -> UInt64? {
    // Zeros fill the places before it.
    var digits = (word ^ 0x3030_3030_3030_3030) << UInt64(truncatingIfNeeded: 64 - 8 * count)
    // A byte above 9 reaches its highest bit.
    guard (digits | (digits &+ 0x7676_7676_7676_7676)) & 0x8080_8080_8080_8080 == 0 else { return nil }
    digits = (digits &* (10 << 8 + 1)) >> 8 & 0x00ff_00ff_00ff_00ff
    digits = (digits &* (100 << 16 + 1)) >> 16 & 0x0000_ffff_0000_ffff
    return (digits &* (10_000 << 32 + 1)) >> 32
  }

  @inline(never)
  private var longNumber: UInt64? {
    var value: UInt64 = 0
    for byte in bytes {
      let digit = byte &- 48
      guard digit < 10 else { return nil }
      let (tenfold, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tenfold.addingReportingOverflow(UInt64(digit))
      guard !overflow, !carry else { return nil }
      value = sum
    }
    return value
  }

  /// Hexadecimal digits, at most sixteen.
  @inline(__always)
  var hex: UInt64? {
    // The form of ids.
    if count == 16, let high = Self.hex8(load()), let low = Self.hex8(load(8)) { return high << 32 | low }
    return anyHex
  }

  private var anyHex: UInt64? {
    guard (1...16).contains(count) else { return nil }
    var value: UInt64 = 0
    for byte in bytes {
      guard let digit = Self.hexDigit(byte) else { return nil }
      value = value &<< 4 | UInt64(digit)
    }
    return value
  }

  /// Eight lower-case digits at once.
  @inline(__always)
  private static func hex8(_ word: UInt64) -> UInt64? {
    let letters = word >> 6 & 0x0101_0101_0101_0101
    let nibbles = (word & 0x0f0f_0f0f_0f0f_0f0f) &+ letters &* 9
    // What has a letter's bit must be above 9, and nothing else; written again, the nibbles must give the same text.
    guard nibbles & 0xf0f0_f0f0_f0f0_f0f0 == 0,
      (nibbles &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101 == letters,
      nibbles &+ 0x3030_3030_3030_3030 &+ letters &* 39 == word
    else {
      return nil
    }
    var value = nibbles.byteSwapped
    value = (value | value >> 4) & 0x00ff_00ff_00ff_00ff
    value = (value | value >> 8) & 0x0000_ffff_0000_ffff
    return (value | value >> 16) & 0xffff_ffff
  }

  private static func hexDigit(_ byte: UInt8) -> UInt8? {
    let digit = byte &- 48
    if digit < 10 { return digit }
    let letter = (byte | 0x20) &- 97
    return letter < 6 ? letter + 10 : nil
  }

  /// Dotted IPv4 as one number.
  @inline(__always)
  var v4: UInt32? {
    var value: UInt32 = 0
    var octet: UInt32 = 0
    var digits = 0
    var dots = 0
    for byte in bytes {
      let digit = byte &- 48
      if digit < 10 {
        octet = octet &* 10 &+ UInt32(digit)
        digits += 1
        guard digits <= 3 else { return nil }
      } else {
        guard byte == UInt8(ascii: "."), digits > 0, octet < 256 else { return nil }
        value = value << 8 | octet
        octet = 0
        digits = 0
        dots += 1
      }
    }
    return dots == 3 && digits > 0 && octet < 256 ? value << 8 | octet : nil
  }
}
