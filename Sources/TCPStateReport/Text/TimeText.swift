// SPDX-License-Identifier: Apache-2.0

/// Times of the machine formats. Everything above the fraction is kept between calls, so
/// a time in the same second as the last one costs nine digits.
public struct TimeText: Sendable {
  /// Bytes of `2026-11-23T21:12:03.204131000Z`, and the slack that `Word`s need.
  static let room = 48

  private var second = UInt64.max
  /// `2026-11-23T`
  private var date = Word()
  /// `21:12:03.`
  private var clock = Word()
  /// Seconds since the epoch.
  private var epoch = Word()

  public init() {}

  /// Appends RFC 3339 in UTC with nine digits and `Z`.
  ///
  /// - Parameter nanoseconds: since the epoch, CLOCK_REALTIME.
  public mutating func append(rfc3339 nanoseconds: UInt64, to buffer: inout ByteBuffer) {
    var cursor = buffer.cursor(room: Self.room)
    put(rfc3339: nanoseconds, to: &cursor)
    buffer.commit(cursor)
  }

  public static func string(rfc3339 nanoseconds: UInt64) -> String {
    var time = TimeText()
    var buffer = ByteBuffer(capacity: 64)
    time.append(rfc3339: nanoseconds, to: &buffer)
    return buffer.text
  }

  @inline(__always)
  mutating func put(rfc3339 nanoseconds: UInt64, to cursor: inout ByteCursor) {
    let fraction = fraction(of: nanoseconds)
    putCalendar(fraction, to: &cursor)
  }

  /// Writes the nanoseconds since the epoch.
  @inline(__always)
  mutating func put(unixNano nanoseconds: UInt64, to cursor: inout ByteCursor) {
    let fraction = fraction(of: nanoseconds)
    putEpoch(fraction, nanoseconds, to: &cursor)
  }

  /// Writes both forms, each with a comma: their nine digits are the same.
  @inline(__always)
  mutating func putCells(_ nanoseconds: UInt64, to cursor: inout ByteCursor) {
    let fraction = fraction(of: nanoseconds)
    putCalendar(fraction, to: &cursor)
    cursor.put(UInt8(ascii: ","))
    putEpoch(fraction, nanoseconds, to: &cursor)
    cursor.put(UInt8(ascii: ","))
  }

  /// The part below the second; the rest is kept.
  @inline(__always)
  private mutating func fraction(of nanoseconds: UInt64) -> NineDigits {
    let now = nanoseconds / 1_000_000_000
    if now != second { enter(now) }
    return NineDigits(nanoseconds - now * 1_000_000_000)
  }

  @inline(__always)
  private func putCalendar(_ fraction: NineDigits, to cursor: inout ByteCursor) {
    cursor.put(date)
    cursor.put(clock)
    cursor.put(fraction)
    cursor.put(UInt8(ascii: "Z"))
  }

  /// In the first second there are no leading zeros.
  @inline(__always)
  private func putEpoch(_ fraction: NineDigits, _ nanoseconds: UInt64, to cursor: inout ByteCursor) {
    guard second > 0 else { return cursor.put(decimal: nanoseconds) }
    cursor.put(epoch)
    cursor.put(fraction)
  }

  @inline(never)
  private mutating func enter(_ now: UInt64) {
    second = now
    let day = CivilDate(daysSinceEpoch: now / 86_400)
    let time = now % 86_400
    date = Word()
    date.append(twoDigits: day.year / 100)
    date.append(twoDigits: day.year % 100)
    date.append(UInt8(ascii: "-"))
    date.append(twoDigits: day.month)
    date.append(UInt8(ascii: "-"))
    date.append(twoDigits: day.day)
    date.append(UInt8(ascii: "T"))
    clock = Word(clock: time)
    clock.append(UInt8(ascii: "."))
    epoch = Word()
    var divisor: UInt64 = 1
    while now / divisor >= 10 { divisor *= 10 }
    while divisor > 0 {
      epoch.append(UInt8(48 + now / divisor % 10))
      divisor /= 10
    }
  }
}

extension Word {
  /// `21:12:03`, for a second of the day.
  init(clock second: UInt64) {
    self.init()
    append(twoDigits: second / 3600)
    append(UInt8(ascii: ":"))
    append(twoDigits: second / 60 % 60)
    append(UInt8(ascii: ":"))
    append(twoDigits: second % 60)
  }

  fileprivate mutating func append(twoDigits number: UInt64) {
    append(UInt8(48 + number / 10 % 10))
    append(UInt8(48 + number % 10))
  }
}
