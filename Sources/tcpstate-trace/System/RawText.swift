// SPDX-License-Identifier: Apache-2.0
import CFront

/// Arguments as text, without losing a byte.
///
/// A path is bytes, and what parses the command line wants text. A byte that isn't UTF-8 becomes a private-use scalar,
/// U+10FE00 and the byte; whatever is text already keeps its meaning, except that such a scalar itself comes as its bytes.
enum RawText {
  private static let base: UInt32 = 0x10fe00

  /// The command line, the program's name first.
  static var arguments: [String] {
    (0..<tcpstate_argument_count()).compactMap { number in
      guard let argument = tcpstate_argument(number) else { return nil }
      var bytes: [UInt8] = []
      var next = argument
      while next.pointee != 0 {
        bytes.append(UInt8(bitPattern: next.pointee))
        next += 1
      }
      return text(bytes)
    }
  }

  static func text(_ bytes: [UInt8]) -> String {
    if let text = String(validating: bytes, as: UTF8.self), byte(in: text) == nil { return text }
    var result = String.UnicodeScalarView()
    var rest = bytes[...]
    while let first = rest.first {
      let length = (1...4).first { count in
        guard rest.count >= count, let text = String(validating: rest.prefix(count), as: UTF8.self),
          text.unicodeScalars.count == 1, byte(in: text) == nil
        else { return false }
        result.append(contentsOf: text.unicodeScalars)
        return true
      }
      if length == nil, let scalar = Unicode.Scalar(base + UInt32(first)) { result.append(scalar) }
      rest = rest.dropFirst(length ?? 1)
    }
    return String(result)
  }

  /// The bytes that the text stands for.
  static func bytes(_ text: String) -> [UInt8] {
    guard byte(in: text) != nil else { return Array(text.utf8) }
    return text.unicodeScalars.flatMap { scalar in byte(scalar).map { [$0] } ?? Array(String(scalar).utf8) }
  }

  /// Calls `body` with the bytes and a zero after them, as system calls take a path.
  static func withPath<Result>(_ text: String, _ body: (UnsafePointer<CChar>) -> Result) -> Result {
    withPath(bytes(text)[...], body)
  }

  static func withPath<Result>(_ bytes: ArraySlice<UInt8>, _ body: (UnsafePointer<CChar>) -> Result) -> Result {
    let path = bytes.map { CChar(bitPattern: $0) } + [0]
    return path.withUnsafeBufferPointer { buffer in
      // There is one: the array isn't empty.
      buffer.baseAddress.map(body) ?? body("")
    }
  }

  /// The byte that isn't UTF-8 which the scalar stands for.
  static func byte(_ scalar: Unicode.Scalar) -> UInt8? {
    scalar.value & 0xffff_ff00 == base ? UInt8(scalar.value & 0xff) : nil
  }

  private static func byte(in text: String) -> UInt8? { text.unicodeScalars.lazy.compactMap { byte($0) }.first }
}
