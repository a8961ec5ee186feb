// SPDX-License-Identifier: Apache-2.0
import CZlib

/// gzip (RFC 1952) by zlib.
package enum Gzip {
  /// A page of metrics repeats itself: level 3 gives nearly the size of 6 in a third of the time.
  private static let level: Int32 = 3

  /// - Returns: nil if zlib has no memory.
  package static func compressed(_ bytes: [UInt8]) -> [UInt8]? {
    var stream = z_stream()
    // 16 asks for gzip's header instead of zlib's.
    let windowBits: Int32 = 15 + 16
    guard
      deflateInit2_(
        &stream, level, Z_DEFLATED, windowBits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        == Z_OK
    else { return nil }
    defer { deflateEnd(&stream) }
    let bound = Int(deflateBound(&stream, UInt(bytes.count)))
    var input = bytes
    return input.withUnsafeMutableBufferPointer { input -> [UInt8]? in
      var failed = false
      // The bound is enough for one call.
      let output = [UInt8](unsafeUninitializedCapacity: bound) { output, count in
        stream.next_in = input.baseAddress
        stream.avail_in = UInt32(input.count)
        stream.next_out = output.baseAddress
        stream.avail_out = UInt32(bound)
        failed = deflate(&stream, Z_FINISH) != Z_STREAM_END
        count = bound - Int(stream.avail_out)
      }
      return failed ? nil : output
    }
  }
}
