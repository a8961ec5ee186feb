// SPDX-License-Identifier: Apache-2.0

/// Base64 with padding (RFC 4648, section 4), without Foundation.
enum Base64Text {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  static func encode(_ bytes: [UInt8]) -> String {
    var result: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let part = bytes[start..<min(start + 3, bytes.count)]
      var word = part.reduce(0 as UInt32) { $0 << 8 | UInt32($1) }
      word <<= UInt32(3 - part.count) * 8
      for place in 0..<4 as Range<UInt32> {
        let isPadding = place > part.count
        result.append(isPadding ? UInt8(ascii: "=") : alphabet[Int(word >> (18 - 6 * place) & 63)])
      }
    }
    return String(decoding: result, as: UTF8.self)
  }
}
