// SPDX-License-Identifier: Apache-2.0

/// A moment in a recording, as people type it.
public enum Moment: Sendable, Equatable {
  /// Nanoseconds since the epoch: `2026-11-23T21:12:03.204Z`, as in CSV.
  case absolute(UInt64)
  /// Nanoseconds since midnight: `21:12:03.5`, `21:12`.
  case clock(UInt64)
  /// Nanoseconds after the start: `+90s`.
  case offset(UInt64)

  private static let second: UInt64 = 1_000_000_000

  /// `nil` for any other text.
  public init?(parsing text: String) {
    if text.hasPrefix("+") {
      guard let offset = DurationText.parse(text.dropFirst()) else { return nil }
      self = .offset(offset)
      return
    }
    let parts = text.split(whereSeparator: { $0 == "T" || $0 == "t" || $0 == " " })
    switch parts.count {
    case 1:
      guard let clock = Self.clock(parts[0]) else { return nil }
      self = .clock(clock)
    case 2:
      guard let time = Self.absolute(date: parts[0], clock: parts[1]) else { return nil }
      self = .absolute(time)
    default: return nil
    }
  }

  /// The moment in nanoseconds since the epoch, in a recording that begins at `start`: a time of
  /// day is its first occurrence from then on. `nil` if 64 bits can't hold it.
  public func time(start: UInt64, utc: Bool) -> UInt64? {
    switch self {
    case .absolute(let time): return time
    case .offset(let offset):
      let (time, overflow) = start.addingReportingOverflow(offset)
      return overflow ? nil : time
    case .clock(let clock):
      let day = 86_400 * Self.second
      let east = utc ? 0 : ClockText.localOffset(at: start / Self.second) * Int64(Self.second)
      let (shifted, overflow) = Int64(clamping: start).addingReportingOverflow(east)
      guard !overflow else { return nil }
      // Before the epoch the day begins earlier still.
      let local = UInt64((shifted % Int64(day) + Int64(day)) % Int64(day))
      let (time, isTooLate) = start.addingReportingOverflow((clock + day - local) % day)
      return isTooLate ? nil : time
    }
  }

  /// `HH:MM` or `HH:MM:SS`, with a fraction of up to nine digits.
  private static func clock(_ text: Substring) -> UInt64? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2 || parts.count == 3,
      let hour = number(parts[0], digits: 2), hour < 24, let minute = number(parts[1], digits: 2), minute < 60
    else { return nil }
    let whole = (hour * 3600 + minute * 60) * second
    guard parts.count == 3 else { return whole }
    let seconds = parts[2].split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard let number = number(seconds[0], digits: 2), number < 61 else { return nil }
    guard seconds.count == 2 else { return whole + number * second }
    let digits = seconds[1]
    guard (1...9).contains(digits.utf8.count), var fraction = Self.number(digits, digits: digits.utf8.count)
    else { return nil }
    for _ in digits.utf8.count..<9 { fraction *= 10 }
    return whole + number * second + fraction
  }

  /// RFC 3339 in UTC or with an offset.
  private static func absolute(date: Substring, clock: Substring) -> UInt64? {
    let parts = date.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3, let year = number(parts[0], digits: 4), let month = number(parts[1], digits: 2),
      let day = number(parts[2], digits: 2), let civil = CivilDate(year: year, month: month, day: day)
    else { return nil }
    var clock = clock
    var east: Int64 = 0
    if clock.last == "Z" || clock.last == "z" {
      clock = clock.dropLast()
    } else {
      guard let sign = clock.lastIndex(where: { $0 == "+" || $0 == "-" }),
        let offset = Self.clock(clock[clock.index(after: sign)...])
      else { return nil }
      east = clock[sign] == "+" ? Int64(offset) : -Int64(offset)
      clock = clock[..<sign]
    }
    guard let time = Self.clock(clock) else { return nil }
    let (seconds, overflow) = (civil.daysSinceEpoch * 86_400).multipliedReportingOverflow(by: second)
    let (local, isTooLate) = seconds.addingReportingOverflow(time)
    guard !overflow, !isTooLate, let local = Int64(exactly: local) else { return nil }
    let (moment, isOutside) = local.subtractingReportingOverflow(east)
    return isOutside ? nil : UInt64(exactly: moment)
  }

  private static func number(_ text: Substring, digits: Int) -> UInt64? {
    guard text.utf8.count == digits, text.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }) else { return nil }
    return UInt64(text)
  }
}
