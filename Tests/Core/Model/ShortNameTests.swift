// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TestSupport
import Testing

@Suite struct ShortNameTests {
  private func padded(_ bytes: [UInt8]) -> ShortName {
    bytes.withUnsafeBytes { ShortName(padded: $0.baseAddress!) }
  }

  @Test(arguments: ["", "a", "nginx", "1234567", "12345678", "123456789", "exactly15bytes!", "sixteen bytes ok"])
  func text(_ text: String) {
    let name = ShortName(text)
    #expect(name.description == text)
    #expect(name.count == text.utf8.count)
    #expect(name.bytes == Array(text.utf8))
    #expect(name.isEmpty == text.isEmpty)
  }

  @Test func longerIsCut() {
    #expect(ShortName("0123456789abcdefXYZ").description == "0123456789abcdef")
  }

  /// The kernel doesn't clear the bytes after the NUL: two names that differ only there are equal.
  @Test func bytesAfterNULAreIgnored() {
    for length in 0...15 {
      let text = Array(repeating: UInt8(ascii: "x"), count: length)
      let first = padded(text + [0] + Array(repeating: 0xaa, count: 15 - length))
      let second = padded(text + [0] + Array(repeating: 0x01, count: 15 - length))
      #expect(first == second && first.hashValue == second.hashValue)
      #expect(first.bytes == text)
      #expect(first == ShortName(bytes: text + [0, 7]))
    }
  }

  /// A name that is replaced is the one that would have been read.
  @Test func isReplaced() {
    let texts = ["", "a", "nginx", "12345678", "123456789", "sixteen bytes ok"].map { Array($0.utf8) }
    for old in texts {
      for new in texts {
        for rest in [0, 0xaa] as [UInt8] where new.count < 16 || rest == 0 {
          let bytes = Array((new + [0] + Array(repeating: rest, count: 16)).prefix(16))
          var name = ShortName(bytes: old)
          bytes.withUnsafeBytes { name.replace(padded: $0.baseAddress!) }
          #expect(name == padded(bytes) && name.bytes == new)
        }
      }
    }
  }

  @Test func anyBytes() {
    var random = SeededGenerator(seed: 5)
    for _ in 0..<20_000 {
      // Many zeros, ones and high bits, which word-wise searches get wrong.
      let bytes = (0..<16).map { _ in [0, 1, 0x7f, 0x80, 0x81, 0xff, 0x41].randomElement(using: &random)! as UInt8 }
      let expected = Array(bytes.prefix { $0 != 0 })
      let name = padded(bytes)
      #expect(name.bytes == expected)
      #expect(name == ShortName(bytes: bytes))
      #expect(name.count == expected.count)
    }
  }

  @Test func invalidUTF8IsReplaced() {
    #expect(ShortName(bytes: [0x62, 0xff, 0x63]).description == "b\u{fffd}c")
  }
}
