// SPDX-License-Identifier: Apache-2.0
extension ByteBuffer {
  /// Appends a number in units of 10^-digits as a decimal fraction, using integers only.
  public mutating func append(_ number: UInt64, decimals digits: Int) {
    var unit: UInt64 = 1
    for _ in 0..<digits { unit *= 10 }
    append(decimal: number / unit)
    append(UInt8(ascii: "."))
    var rest = number % unit
    while unit > 1 {
      unit /= 10
      append(48 | UInt8(truncatingIfNeeded: rest / unit))
      rest %= unit
    }
  }
}
