// SPDX-License-Identifier: Apache-2.0

/// A day of the proleptic Gregorian calendar, from 1970 on.
struct CivilDate: Equatable {
  var year: UInt64
  /// 1…12
  var month: UInt64
  /// 1…31
  var day: UInt64

  /// Howard Hinnant's `civil_from_days` ("chrono-Compatible Low-Level Date Algorithms"):
  /// years begin in March, so that the leap day comes last.
  init(daysSinceEpoch days: UInt64) {
    let shifted = days + 719_468  // since 0000-03-01
    let era = shifted / 146_097
    let dayOfEra = shifted % 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }

  /// `nil` if there is no such day, or if it is before 1970.
  init?(year: UInt64, month: UInt64, day: UInt64) {
    guard year >= 1970, year < 10_000, (1...12).contains(month), (1...31).contains(day) else { return nil }
    self.year = year
    self.month = month
    self.day = day
    // A day that the month lacks comes back as a day of the next month.
    guard CivilDate(daysSinceEpoch: daysSinceEpoch) == self else { return nil }
  }

  /// Hinnant's `days_from_civil`.
  var daysSinceEpoch: UInt64 {
    let shiftedYear = month <= 2 ? year - 1 : year
    let era = shiftedYear / 400
    let yearOfEra = shiftedYear - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }
}
