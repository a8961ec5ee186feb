// SPDX-License-Identifier: Apache-2.0

/// Numbers for people, with thousands separators: `9,120`.
public enum NumberText {
  /// Appends the number.
  ///
  /// - Returns: how many columns of a terminal it takes.
  @discardableResult
  public static func append(_ number: UInt64, to buffer: inout ByteBuffer) -> Int {
    let digits = ByteCursor.digits(of: number)
    var cursor = buffer.cursor(room: 32)
    let width = digits + (digits - 1) / 3
    var place = cursor.next + width
    var rest = number
    for index in 0..<digits {
      if index > 0, index % 3 == 0 {
        place -= 1
        place.pointee = UInt8(ascii: ",")
      }
      place -= 1
      place.pointee = 48 | UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
    cursor.next += width
    buffer.commit(cursor)
    return width
  }

  public static func string(_ number: UInt64) -> String {
    var buffer = ByteBuffer(capacity: 64)
    append(number, to: &buffer)
    return buffer.text
  }
}
