// SPDX-License-Identifier: Apache-2.0

/// The place of the next byte, in memory with enough room: the row writers reserve a
/// row's worst case once and then write unchecked.
struct ByteCursor {
  /// How many digits the largest `UInt64` has.
  static let maximumDecimal = 20

  var next: UnsafeMutablePointer<UInt8>

  @inline(__always)
  mutating func put(_ byte: UInt8) {
    next.pointee = byte
    next += 1
  }

  @inline(__always)
  mutating func put(_ bytes: UnsafeRawPointer, count: Int) {
    UnsafeMutableRawPointer(next).copyMemory(from: bytes, byteCount: count)
    next += count
  }

  @inline(__always)
  mutating func put(_ text: StaticString) {
    put(text.utf8Start, count: text.utf8CodeUnitCount)
  }

  /// Writes 16 bytes, of which the first `count` count: cheaper than copying just `count`.
  /// The room must be 16.
  @inline(__always)
  mutating func put(_ first: UInt64, _ second: UInt64, count: Int) {
    let raw = UnsafeMutableRawPointer(next)
    raw.storeBytes(of: first.littleEndian, as: UInt64.self)
    raw.storeBytes(of: second.littleEndian, toByteOffset: 8, as: UInt64.self)
    next += count
  }

  @inline(__always)
  mutating func put(_ word: Word) {
    put(word.first, word.second, count: word.count)
  }

  mutating func put(spaces count: Int) {
    guard count > 0 else { return }
    next.update(repeating: UInt8(ascii: " "), count: count)
    next += count
  }
}

// MARK: Numbers

extension ByteCursor {
  /// `00`, `01` … `99`.
  private static let pairs: StaticString = """
    00010203040506070809101112131415161718192021222324252627282930313233343536373839\
    40414243444546474849505152535455565758596061626364656667686970717273747576777879\
    8081828384858687888990919293949596979899
    """

  /// Writes the two digits of `number`, below 100, at `place`.
  @inline(__always)
  private static func putPair(_ number: UInt64, at place: UnsafeMutablePointer<UInt8>) {
    // The table holds 200 bytes and `number` is below 100.
    let pair = UnsafeRawPointer(pairs.utf8Start).loadUnaligned(
      fromByteOffset: Int(truncatingIfNeeded: number) * 2, as: UInt16.self)
    UnsafeMutableRawPointer(place).storeBytes(of: pair, as: UInt16.self)
  }

  /// Writes in base ten; the room must be `maximumDecimal`.
  @inline(__always)
  mutating func put(decimal number: UInt64) {
    if number < 10 {
      put(48 | UInt8(truncatingIfNeeded: number))
    } else if number < 100_000_000 {
      putUpToEight(digits: number)
    } else {
      next = Self.writeLong(decimal: number, at: next)
    }
  }

  /// Stores eight bytes, of which the digits count.
  @inline(__always)
  private mutating func putUpToEight(digits number: UInt64) {
    let digits = Self.eightDigits(number)
    // A leading zero is still a zero byte, in the lowest places.
    let zeros = digits.trailingZeroBitCount & ~7
    UnsafeMutableRawPointer(next).storeBytes(
      of: ((digits | 0x3030_3030_3030_3030) >> UInt64(zeros)).littleEndian, as: UInt64.self)
    next += 8 - zeros / 8
  }

  /// The digits of a number below 10^8, one byte each, the first in the lowest: the number is halved
  /// three times, all halves at once, and each division is a multiplication by the reciprocal.
  @inline(__always)
  fileprivate static func eightDigits(_ number: UInt64) -> UInt64 {
    let high = number / 10_000
    let fours = high | (number &- high &* 10_000) << 32
    let tops = (fours &* 10_486) >> 20 & 0x0000_007f_0000_007f
    let twos = tops | (fours &- tops &* 100) << 16
    let tens = (twos &* 103) >> 10 & 0x000f_000f_000f_000f
    return tens | (twos &- tens &* 10) << 8
  }

  /// By value, so that the caller's cursor can stay in a register.
  ///
  /// - Returns: the place behind the last digit.
  @inline(never)
  private static func writeLong(decimal number: UInt64, at place: UnsafeMutablePointer<UInt8>)
    -> UnsafeMutablePointer<UInt8>
  {
    let high = number / 100_000_000
    var cursor = ByteCursor(next: place)
    if high < 100_000_000 {
      cursor.putUpToEight(digits: high)
    } else {
      let top = high / 100_000_000
      cursor.putUpToEight(digits: top)
      cursor.putEight(digits: high - top * 100_000_000)
    }
    cursor.putEight(digits: number - high * 100_000_000)
    return cursor.next
  }

  /// Writes eight digits, including leading zeros.
  @inline(__always)
  private mutating func putEight(digits number: UInt64) {
    UnsafeMutableRawPointer(next).storeBytes(
      of: (Self.eightDigits(number) | 0x3030_3030_3030_3030).littleEndian, as: UInt64.self)
    next += 8
  }

  /// How many decimal digits `number` has.
  static func digits(of number: UInt64) -> Int {
    var count = 1
    var rest = number
    while rest >= 10_000 {
      rest /= 10_000
      count += 4
    }
    if rest >= 1_000 { return count + 3 }
    if rest >= 100 { return count + 2 }
    return rest >= 10 ? count + 1 : count
  }

  /// Writes two digits; `number` must be below 100.
  @inline(__always)
  mutating func put(twoDigits number: UInt64) {
    Self.putPair(number, at: next)
    next += 2
  }

  /// Writes nine digits with leading zeros; `number` must be below 10^9.
  @inline(__always)
  mutating func put(nineDigits number: UInt64) { put(NineDigits(number)) }

  @inline(__always)
  mutating func put(_ digits: NineDigits) {
    next.pointee = digits.first
    UnsafeMutableRawPointer(next).storeBytes(of: digits.rest.littleEndian, toByteOffset: 1, as: UInt64.self)
    next += 9
  }

  /// Writes sixteen lower-case hexadecimal digits.
  @inline(__always)
  mutating func put(hex16 number: UInt64) {
    let raw = UnsafeMutableRawPointer(next)
    raw.storeBytes(of: Self.hex(UInt32(truncatingIfNeeded: number >> 32)).bigEndian, as: UInt64.self)
    raw.storeBytes(
      of: Self.hex(UInt32(truncatingIfNeeded: number)).bigEndian, toByteOffset: 8, as: UInt64.self)
    next += 16
  }

  /// Eight ASCII digits, the first in the highest byte: the nibbles are spread
  /// to one byte each, then those above 9 are lifted from `:` to `a`.
  @inline(__always)
  private static func hex(_ number: UInt32) -> UInt64 {
    var nibbles = UInt64(number)
    nibbles = (nibbles << 16 | nibbles) & 0x0000_ffff_0000_ffff
    nibbles = (nibbles << 8 | nibbles) & 0x00ff_00ff_00ff_00ff
    nibbles = (nibbles << 4 | nibbles) & 0x0f0f_0f0f_0f0f_0f0f
    let letters = (nibbles &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
    return nibbles &+ 0x3030_3030_3030_3030 &+ letters &* 39
  }

  /// Writes hexadecimal digits without leading zeros; the room must be 16.
  mutating func put(shortHex number: UInt64) {
    var shift = number == 0 ? 0 : (63 - number.leadingZeroBitCount) & ~3
    while shift >= 0 {
      let nibble = UInt8(truncatingIfNeeded: number >> UInt64(shift)) & 15
      put(nibble < 10 ? 48 + nibble : 87 + nibble)
      shift -= 4
    }
  }

  /// Writes a Unicode scalar in UTF-8; the room must be 4.
  mutating func put(_ scalar: Unicode.Scalar) {
    for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter { put(byte) }
  }
}

/// A number below 10^9 as text with leading zeros, for writing it more than once.
struct NineDigits {
  let first: UInt8
  /// The other eight, the first in the lowest byte.
  let rest: UInt64

  @inline(__always)
  init(_ number: UInt64) {
    let lead = number / 100_000_000
    first = 48 | UInt8(truncatingIfNeeded: lead)
    rest = ByteCursor.eightDigits(number - lead * 100_000_000) | 0x3030_3030_3030_3030
  }
}
