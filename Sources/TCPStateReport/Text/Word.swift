// SPDX-License-Identifier: Apache-2.0

/// Text of at most 16 bytes kept inline, so that writing it takes two stores.
struct Word: BitwiseCopyable, Sendable {
  /// Bytes 0–7 and 8–15, the first in the lowest bits.
  var first: UInt64 = 0
  var second: UInt64 = 0
  var count = 0

  init() {}

  /// The first 16 bytes of `text`.
  init(_ text: StaticString) {
    self.init(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// The first 16 of `bytes`.
  init(_ bytes: some Sequence<UInt8>) {
    for byte in bytes.prefix(16) { append(byte) }
  }

  /// Adds a byte; `count` must be below 16.
  mutating func append(_ byte: UInt8) {
    if count < 8 {
      first |= UInt64(byte) << UInt64(count * 8)
    } else {
      second |= UInt64(byte) << UInt64((count - 8) * 8)
    }
    count += 1
  }
}
