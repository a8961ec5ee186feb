// SPDX-License-Identifier: Apache-2.0

/// Byte counts in three digits, `12.3 kB`, where there is no room for all.
enum ShortBytes {
  private static let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]

  /// Powers of 1000, truncated, so that nothing looks larger than it is.
  static func string(_ count: UInt64) -> String {
    var (scale, unit) = (1 as UInt64, 0)
    while count / scale >= 1000, unit < units.count - 1 {
      scale *= 1000
      unit += 1
    }
    let whole = count / scale
    guard unit > 0, whole < 100 else { return "\(whole) \(units[unit])" }
    let decimals = whole < 10 ? 2 : 1
    let step = decimals == 2 ? scale / 100 : scale / 10
    let rest = String(count % scale / step)
    return "\(whole).\(String(repeating: "0", count: decimals - rest.count))\(rest) \(units[unit])"
  }
}
