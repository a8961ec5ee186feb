// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// Durations as people read and type them.
///
/// Below a minute there are three significant digits: `380 µs`, `12.4 ms`, `5.79 s`. From a minute on
/// there are two units, the smaller truncated: `2 m 4 s`, `3 h 12 m`, `4 d 2 h`.
public enum DurationText {
  /// Appends a duration.
  ///
  /// A lower bound gets `≥`, and is truncated rather than rounded because it must stay true.
  ///
  /// - Returns: how many columns of a terminal it takes.
  @discardableResult
  public static func append(
    _ nanoseconds: UInt64, kind: DurationKind = .exact, glyphs: Glyphs = .unicode,
    to buffer: inout ByteBuffer
  ) -> Int {
    var cursor = buffer.cursor(room: 64)
    let start = cursor.next
    var invisible = 0
    if kind == .atLeast {
      cursor.put(glyphs.atLeast)
      cursor.put(UInt8(ascii: " "))
      invisible = glyphs.atLeast.utf8CodeUnitCount - glyphs.atLeastWidth
    }
    let rounds = kind == .exact
    if nanoseconds < 1_000 {
      cursor.put(decimal: nanoseconds)
      cursor.put(" ns")
    } else if cursor.put(nanoseconds, unit: 1_000, below: 1_000, rounds: rounds) {
      cursor.put(UInt8(ascii: " "))
      cursor.put(glyphs.micro)
      cursor.put(UInt8(ascii: "s"))
      invisible += glyphs.micro.utf8CodeUnitCount - 1
    } else if cursor.put(nanoseconds, unit: 1_000_000, below: 1_000, rounds: rounds) {
      cursor.put(" ms")
    } else if cursor.put(nanoseconds, unit: 1_000_000_000, below: 60, rounds: rounds) {
      cursor.put(" s")
    } else {
      // 59.97 s is rounded to a minute.
      cursor.putUnits(seconds: max(nanoseconds / 1_000_000_000, 60))
    }
    let width = cursor.next - start - invisible
    buffer.commit(cursor)
    return width
  }

  public static func string(
    _ nanoseconds: UInt64, kind: DurationKind = .exact, glyphs: Glyphs = .unicode
  ) -> String {
    var buffer = ByteBuffer(capacity: 64)
    append(nanoseconds, kind: kind, glyphs: glyphs, to: &buffer)
    return buffer.text
  }

  /// By what follows the number; nothing means seconds, as for sleep(1).
  private static let units: [(names: [String], nanoseconds: UInt128)] = [
    (["ns"], 1), (["us", "µs", "μs"], 1_000), (["ms", "msec"], 1_000_000),
    (["s", "", "sec", "secs", "second", "seconds"], 1_000_000_000),
    (["m", "min", "mins", "minute", "minutes"], 60_000_000_000), (["h", "hour", "hours"], 3_600_000_000_000),
    (["d", "day", "days"], 86_400_000_000_000),
  ]

  /// Reads `250ms`, `1.5s`, `30s`, `5m`, `2h`, `1d`, their longer names (`10sec`, `1min`), units `ns`, `us` and `µs`,
  /// and a number alone, which is seconds; as nanoseconds.
  ///
  /// `nil` for a sign, a missing or unknown unit, surrounding text, or more than 64 bits of
  /// nanoseconds. Fractions of a nanosecond are dropped.
  public static func parse(_ text: some StringProtocol) -> UInt64? {
    func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }
    let bytes = Array(text.utf8)
    let whole = bytes.prefix(while: isDigit)
    var rest = bytes.dropFirst(whole.count)
    var fraction: ArraySlice<UInt8> = []
    if rest.first == UInt8(ascii: ".") {
      fraction = rest.dropFirst().prefix(while: isDigit)
      guard !fraction.isEmpty else { return nil }
      rest = rest.dropFirst(1 + fraction.count)
    }
    guard !whole.isEmpty, whole.count <= 20, fraction.count <= 15,
      let unit = units.first(where: { $0.names.contains { rest.elementsEqual($0.utf8) } })?.nanoseconds
    else { return nil }
    var number: UInt128 = 0
    var divisor: UInt128 = 1
    for byte in whole { number = number * 10 + UInt128(byte - 48) }
    number *= unit
    var part: UInt128 = 0
    for byte in fraction {
      part = part * 10 + UInt128(byte - 48)
      divisor *= 10
    }
    return UInt64(exactly: number + part * unit / divisor)
  }
}

extension ByteCursor {
  /// Writes three significant digits of `nanoseconds` in `unit`, if that is below `limit` after rounding.
  ///
  /// - Returns: whether it is.
  fileprivate mutating func put(
    _ nanoseconds: UInt64, unit: UInt64, below limit: UInt64, rounds: Bool
  ) -> Bool {
    var scale: UInt64 = 100
    while scale > 0 {
      let step = unit / scale
      let (sum, overflow) = nanoseconds.addingReportingOverflow(rounds ? step / 2 : 0)
      let number = sum / step
      if !overflow, number < 1_000, number < limit * scale {
        put(decimal: number / scale)
        if scale > 1 {
          put(UInt8(ascii: "."))
          if scale == 100 { put(twoDigits: number % 100) } else { put(decimal: number % 10) }
        }
        return true
      }
      scale /= 10
    }
    return false
  }

  fileprivate mutating func putUnits(seconds: UInt64) {
    if seconds < 3_600 {
      put(seconds / 60, " m ", seconds % 60, " s")
    } else if seconds < 86_400 {
      put(seconds / 3_600, " h ", seconds / 60 % 60, " m")
    } else {
      put(seconds / 86_400, " d ", seconds / 3_600 % 24, " h")
    }
  }

  private mutating func put(
    _ large: UInt64, _ largeUnit: StaticString, _ small: UInt64, _ smallUnit: StaticString
  ) {
    put(decimal: large)
    put(largeUnit)
    put(decimal: small)
    put(smallUnit)
  }
}
