// SPDX-License-Identifier: Apache-2.0

/// Bytes on their way to a file descriptor: appended at the end, and removed from
/// the front once written. It owns its memory, which grows and never shrinks.
public struct ByteBuffer: ~Copyable {
  private var base: UnsafeMutablePointer<UInt8>
  /// How many bytes there is memory for.
  public private(set) var capacity: Int
  /// How many bytes it holds.
  public private(set) var count = 0

  public init(capacity: Int = 64 * 1024) {
    self.capacity = max(capacity, 64)
    base = .allocate(capacity: self.capacity)
  }

  deinit { base.deallocate() }

  public var isEmpty: Bool { count == 0 }

  /// Drops all bytes and keeps the memory.
  public mutating func removeAll() { count = 0 }

  /// Drops the first `n` bytes, or all if it holds fewer: what a partial `write` has written.
  public mutating func removeFirst(_ n: Int) {
    guard n < count else { return removeAll() }
    guard n > 0 else { return }
    // Both ranges lie in the first `count` initialized bytes; they may overlap.
    base.update(from: base + n, count: count - n)
    count -= n
  }

  /// Drops the last `n` bytes, or all if it holds fewer.
  mutating func removeLast(_ n: Int) { count = max(0, count - max(0, n)) }

  /// Lends the bytes; the pointer is valid only inside `body`.
  public borrowing func withBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(UnsafeRawBufferPointer(start: base, count: count))
  }

  /// The bytes as text; invalid UTF-8 is replaced.
  public var text: String {
    String(decoding: UnsafeBufferPointer(start: base, count: count), as: UTF8.self)
  }

  /// A cursor at the end with room for `room` bytes; `commit` adds what it wrote to the buffer.
  ///
  /// The cursor is valid until the buffer changes in another way.
  @inline(__always)
  mutating func cursor(room: Int) -> ByteCursor {
    if capacity - count < room { grow(by: room) }
    return ByteCursor(next: base + count)
  }

  /// Adds what `cursor` wrote, which must be the last one handed out.
  @inline(__always)
  mutating func commit(_ cursor: ByteCursor) {
    count = cursor.next - base
    assert(count <= capacity)
  }

  @inline(never)
  private mutating func grow(by room: Int) {
    let larger = max(capacity * 2, count + room)
    let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
    memory.update(from: base, count: count)
    base.deallocate()
    base = memory
    capacity = larger
  }
}

extension ByteBuffer {
  public mutating func append(_ byte: UInt8) {
    var cursor = cursor(room: 1)
    cursor.put(byte)
    commit(cursor)
  }

  public mutating func append(_ text: StaticString) {
    var cursor = cursor(room: text.utf8CodeUnitCount)
    cursor.put(text)
    commit(cursor)
  }

  /// Appends in base ten, without separators.
  public mutating func append(decimal number: UInt64) {
    var cursor = cursor(room: ByteCursor.maximumDecimal)
    cursor.put(decimal: number)
    commit(cursor)
  }

  /// Appends sixteen lower-case hexadecimal digits.
  public mutating func append(hex16 number: UInt64) {
    var cursor = cursor(room: 16)
    cursor.put(hex16: number)
    commit(cursor)
  }

  public mutating func append(bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress else { return }
    var cursor = cursor(room: bytes.count)
    cursor.put(start, count: bytes.count)
    commit(cursor)
  }

  /// Appends the bytes of `other`.
  public mutating func append(_ other: borrowing ByteBuffer) {
    var cursor = cursor(room: other.count)
    cursor.put(other.base, count: other.count)
    commit(cursor)
  }

  /// Appends some bytes of `other`, which it must have.
  mutating func append(_ other: borrowing ByteBuffer, _ range: Range<Int>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= other.count)
    var cursor = cursor(room: range.count)
    cursor.put(other.base + range.lowerBound, count: range.count)
    commit(cursor)
  }

  public mutating func append(_ text: String) {
    var text = text
    text.withUTF8 { append(bytes: UnsafeRawBufferPointer($0)) }
  }

  /// Appends `count` spaces; none if it is negative.
  public mutating func append(spaces count: Int) {
    guard count > 0 else { return }
    var cursor = cursor(room: count)
    cursor.put(spaces: count)
    commit(cursor)
  }
}
