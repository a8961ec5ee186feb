// SPDX-License-Identifier: Apache-2.0

/// Byte counts for people: `4,096 B`, and `0` without a unit.
public enum ByteCountText {
  /// Appends the count.
  ///
  /// - Returns: how many columns of a terminal it takes.
  @discardableResult
  public static func append(_ count: UInt64, to buffer: inout ByteBuffer) -> Int {
    let width = NumberText.append(count, to: &buffer)
    guard count > 0 else { return width }
    buffer.append(" B")
    return width + 2
  }

  public static func string(_ count: UInt64) -> String {
    var buffer = ByteBuffer(capacity: 64)
    append(count, to: &buffer)
    return buffer.text
  }
}
