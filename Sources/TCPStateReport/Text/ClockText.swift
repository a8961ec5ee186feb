// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The time of day for tables, `21:12:03.204131`, local or UTC.
public struct ClockText: Sendable {
  /// How many digits the fraction of a second has.
  public enum Precision: Int, Sendable {
    case seconds = 0
    case milliseconds = 3
    case microseconds = 6

    /// How many columns of a terminal a time takes.
    var width: Int { self == .seconds ? 8 : 9 + rawValue }
  }

  private let utc: Bool
  private var second = UInt64.max
  /// `21:12:03`
  private var clock = Word()
  /// The quarter of an hour since the epoch for which `offset` is valid: time zones of
  /// this century change their offset only at the start of one.
  private var quarter = UInt64.max
  /// Seconds east of UTC.
  private var offset: Int64 = 0

  public init(utc: Bool) {
    self.utc = utc
  }

  /// Appends the time, truncated to `precision`.
  ///
  /// - Parameter nanoseconds: since the epoch, CLOCK_REALTIME.
  public mutating func append(
    _ nanoseconds: UInt64, precision: Precision, to buffer: inout ByteBuffer
  ) {
    let now = nanoseconds / 1_000_000_000
    if now != second { enter(now) }
    var cursor = buffer.cursor(room: 32)
    cursor.put(clock)
    cursor.put(UInt8(ascii: "."))
    cursor.put(nineDigits: nanoseconds - now * 1_000_000_000)
    cursor.next -= precision == .seconds ? 10 : 9 - precision.rawValue  // the point too
    buffer.commit(cursor)
  }

  private mutating func enter(_ now: UInt64) {
    second = now
    if !utc, now / 900 != quarter {
      quarter = now / 900
      offset = Self.localOffset(at: now)
    }
    let local = Int64(now) + offset
    clock = Word(clock: UInt64((local % 86_400 + 86_400) % 86_400))
  }

  /// Seconds east of UTC in this machine's time zone.
  static func localOffset(at second: UInt64) -> Int64 {
    var time = time_t(second)
    var parts = tm()
    // Both pointers are valid for the call; it returns NULL only for years that an Int32 can't hold.
    guard localtime_r(&time, &parts) != nil else { return 0 }
    return Int64(parts.tm_gmtoff)
  }
}
