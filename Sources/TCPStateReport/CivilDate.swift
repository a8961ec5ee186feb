/// A day of the proleptic Gregorian calendar, from 1970 on.
struct CivilDate: Equatable {
  var year: UInt64
  /// 1…12
  var month: UInt64
  /// 1…31
  var day: UInt64

  /// From Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms",
  /// `civil_from_days`: years begin in March, so that the leap day comes last.
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
}
