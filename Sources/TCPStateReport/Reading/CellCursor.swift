// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// Finds the ends of CSV cells one after the other, for rows that `cells_of_row` doesn't take.
///
/// Safe because `TransitionReader` keeps zero bytes behind the last byte of text: a scan stops
/// there, and whole words may be loaded.
struct CellCursor {
  var next: UnsafePointer<UInt8>

  @inline(__always)
  var byte: UInt8 { next.pointee }

  /// Whether a cell ends here: at a comma, a line end, or the end of what was read.
  @inline(__always)
  var isAtEnd: Bool {
    let byte = next.pointee
    return byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") || byte == 0
  }

  @inline(__always)
  private static func zeroBytes(_ word: UInt64) -> UInt64 {
    (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
  }

  /// Marks the first byte that ends a cell or isn't text; bits beyond the first hit mean nothing.
  @inline(__always)
  private static func ends(_ word: UInt64) -> UInt64 {
    // Commas, and everything below 0x20.
    let controls = (word &- 0x2020_2020_2020_2020) & ~word & 0x8080_8080_8080_8080
    return zeroBytes(word ^ 0x2c2c_2c2c_2c2c_2c2c) | controls
  }

  @inline(__always)
  private func load() -> UInt64 {
    UInt64(littleEndian: UnsafeRawPointer(next).loadUnaligned(as: UInt64.self))
  }

  /// Skips an unquoted cell.
  @inline(__always)
  mutating func skip() {
    while true {
      let hits = Self.ends(load())
      if hits != 0 {
        next += hits.trailingZeroBitCount >> 3
        if isAtEnd { return }
        next += 1  // a tab or the like
      } else {
        next += 8
      }
    }
  }
}
