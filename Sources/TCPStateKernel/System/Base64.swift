// SPDX-License-Identifier: Apache-2.0

/// Decodes what the build plugin embeds. With Foundation's decoder, Foundation would be three quarters of the binary.
enum Base64 {
  /// Returns the bytes, which the caller deallocates. The text has to be base64 without line breaks, as bpf/Makefile
  /// writes it.
  static func decode(_ text: StaticString) -> UnsafeRawBufferPointer {
    var values = [UInt8](repeating: 0, count: 256)
    for (value, character) in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8.enumerated() {
      values[Int(character)] = UInt8(value)
    }
    let input = UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    let padding = input.suffix(2).count { $0 == UInt8(ascii: "=") }
    let count = max(0, input.count / 4 * 3 - padding)
    let output = UnsafeMutableRawBufferPointer.allocate(byteCount: input.count / 4 * 3, alignment: 8)
    for group in 0..<input.count / 4 {
      let word =
        UInt32(values[Int(input[group * 4])]) << 18 | UInt32(values[Int(input[group * 4 + 1])]) << 12
        | UInt32(values[Int(input[group * 4 + 2])]) << 6 | UInt32(values[Int(input[group * 4 + 3])])
      output[group * 3] = UInt8(truncatingIfNeeded: word >> 16)
      output[group * 3 + 1] = UInt8(truncatingIfNeeded: word >> 8)
      output[group * 3 + 2] = UInt8(truncatingIfNeeded: word)
    }
    return UnsafeRawBufferPointer(rebasing: output[..<count])
  }
}
