// SPDX-License-Identifier: Apache-2.0

/// A name of up to 16 bytes, stored inline: a process's `comm` (TASK_COMM_LEN) or
/// a congestion control's name. Any bytes except NUL, not necessarily UTF-8.
public struct ShortName: Hashable, Sendable, BitwiseCopyable {
  /// The bytes in memory order, padded with NULs.
  public var storage: (UInt64, UInt64)

  /// Reads 16 bytes and drops everything from the first NUL on.
  ///
  /// The buffer must hold at least 16 bytes from `bytes` on.
  @inlinable @inline(__always)
  public init(padded bytes: UnsafeRawPointer) {
    let first = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    let second = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    let firstLength = Self.length(of: first)
    storage.0 = Self.keep(first, firstLength)
    storage.1 = firstLength < 8 ? 0 : Self.keep(second, Self.length(of: second))
  }

  /// Replaces the name as `init(padded:)` reads it. Seeing that it is the same one is cheaper than finding its end.
  @inlinable @inline(__always)
  public mutating func replace(padded bytes: UnsafeRawPointer) {
    guard
      UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self)) != storage.0
        || UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)) != storage.1
    else { return }
    self = ShortName(padded: bytes)
  }

  /// The first 16 bytes of `text`, cut at a NUL.
  public init(_ text: some StringProtocol) {
    self.init(bytes: text.utf8)
  }

  /// The first 16 of `bytes`, cut at a NUL.
  public init(bytes: some Sequence<UInt8>) {
    var first: UInt64 = 0
    var second: UInt64 = 0
    for (index, byte) in bytes.prefix(16).enumerated() {
      if byte == 0 { break }
      if index < 8 {
        first |= UInt64(byte) << UInt64(index * 8)
      } else {
        second |= UInt64(byte) << UInt64((index - 8) * 8)
      }
    }
    storage = (first, second)
  }

  @inlinable
  public init() { storage = (0, 0) }

  /// Number of bytes before the first NUL.
  @inlinable @inline(__always)
  static func length(of word: UInt64) -> Int {
    // Marks the high bit of the lowest zero byte.
    let zero = (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
    return zero.trailingZeroBitCount >> 3
  }

  @inlinable @inline(__always)
  static func keep(_ word: UInt64, _ length: Int) -> UInt64 {
    length == 8 ? word : word & ((1 << UInt64(length * 8)) - 1)
  }

  @inlinable
  public var isEmpty: Bool { storage.0 == 0 }

  @inlinable
  public var count: Int {
    storage.1 == 0 ? Self.length(of: storage.0) : 8 + Self.length(of: storage.1)
  }

  /// The byte at `index`, which must be below 16.
  @inlinable
  public subscript(index: Int) -> UInt8 {
    UInt8(truncatingIfNeeded: index < 8 ? storage.0 >> UInt64(index * 8) : storage.1 >> UInt64((index - 8) * 8))
  }

  public var bytes: [UInt8] { (0..<count).map { self[$0] } }

  @inlinable
  public static func == (a: ShortName, b: ShortName) -> Bool { a.storage == b.storage }

  @inlinable
  public func hash(into hasher: inout Hasher) {
    hasher.combine(storage.0)
    hasher.combine(storage.1)
  }
}

extension ShortName: CustomStringConvertible {
  /// The name as text, with invalid UTF-8 replaced.
  public var description: String { String(decoding: bytes, as: UTF8.self) }
}
