// SPDX-License-Identifier: Apache-2.0

/// The user and password of an `Authorization: Basic` header (RFC 7617).
package struct Credentials: Sendable, Equatable {
  package let user: String
  package let password: [UInt8]

  /// - Returns: nil if the header is another scheme's or isn't well formed.
  package init?(header: String) {
    let parts = header.split(separator: " ", maxSplits: 1)
    guard parts.count == 2, parts[0].lowercased() == "basic",
      let bytes = Self.decoded(parts[1].drop { $0 == " " }), let colon = bytes.firstIndex(of: UInt8(ascii: ":"))
    else { return nil }
    user = String(decoding: bytes[..<colon], as: UTF8.self)
    password = Array(bytes[(colon + 1)...])
  }

  /// Base64 (RFC 4648) with its padding.
  private static func decoded(_ text: Substring) -> [UInt8]? {
    var result: [UInt8] = []
    var bits: UInt32 = 0, count = 0
    let data = text.utf8.prefix { $0 != UInt8(ascii: "=") }
    guard text.utf8.count % 4 == 0, text.utf8.count - data.count <= 2 else { return nil }
    for byte in data {
      let value: UInt8
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = byte - UInt8(ascii: "A")
      case UInt8(ascii: "a")...UInt8(ascii: "z"): value = byte - UInt8(ascii: "a") + 26
      case UInt8(ascii: "0")...UInt8(ascii: "9"): value = byte - UInt8(ascii: "0") + 52
      case UInt8(ascii: "+"): value = 62
      case UInt8(ascii: "/"): value = 63
      default: return nil
      }
      bits = bits << 6 | UInt32(value)
      count += 6
      if count >= 8 {
        count -= 8
        result.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
      }
    }
    return result
  }

  /// Compares passwords in the same time wherever they differ; their lengths show.
  func hasPassword(_ other: [UInt8]) -> Bool {
    guard other.count == password.count else { return false }
    var difference: UInt8 = 0
    for (one, another) in zip(other, password) { difference |= one ^ another }
    return difference == 0
  }
}
