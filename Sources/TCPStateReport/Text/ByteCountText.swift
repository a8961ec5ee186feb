/// Counts of bytes for people: `4,096 B`, and a bare `0`.
public enum ByteCountText {
  /// Appends the count and returns its columns.
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
