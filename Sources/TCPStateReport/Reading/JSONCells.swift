// SPDX-License-Identifier: Apache-2.0
import Glibc

/// What reading JSON Lines needs besides the line: the columns of its keys, and room for a value.
struct JSONCells {
  private struct Key {
    let bytes: [UInt8]
    let column: Column?
  }

  /// Keys seen so far, in the order in which they came: the next line mostly has the same ones.
  private var keys: [Key] = []
  private var next = 0
  /// The value that is being read.
  var value: [UInt8] = []

  mutating func begin() { next = 0 }

  private static func isEqual(_ bytes: [UInt8], _ key: UnsafeBufferPointer<UInt8>) -> Bool {
    guard bytes.count == key.count, let start = key.baseAddress else { return false }
    return bytes.withUnsafeBytes { $0.baseAddress.map { memcmp($0, start, key.count) == 0 } ?? key.isEmpty }
  }

  /// - Returns: the column, `nil` if the key isn't ours; and whether the key is new.
  mutating func column(of key: UnsafeBufferPointer<UInt8>) -> (column: Column?, isNew: Bool) {
    for _ in 0..<keys.count {
      if next >= keys.count { next = 0 }
      next += 1
      if Self.isEqual(keys[next - 1].bytes, key) { return (keys[next - 1].column, false) }
    }
    let text = String(decoding: key, as: UTF8.self)
    let column = Column(jsonName: text) ?? Column(csvName: text)
    // More than there are columns, and yet bounded: a foreign file may have new keys in every line.
    guard keys.count < 256 else { return (column, true) }
    keys.append(Key(bytes: Array(key), column: column))
    next = keys.count
    return (column, true)
  }
}
