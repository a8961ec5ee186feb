// SPDX-License-Identifier: Apache-2.0
import CCrypt
import Glibc

/// A password hashed with bcrypt, as `$2y$10$` with 22 characters of salt and 31 of the hash.
///
/// libxcrypt's crypt_r(3) checks it: the implementation that every Debian logs its users in with, so it is maintained and
/// reviewed there, and nothing has to be vendored.
package struct PasswordHash: Sendable, Equatable {
  /// A check with a higher cost takes minutes.
  static let maximumCost = 20

  private let text: String
  package let cost: Int

  /// - Returns: nil if it isn't bcrypt's form.
  package init?(_ text: String) {
    let bytes = Array(text.utf8)
    guard bytes.count == 60, ["$2a$", "$2b$", "$2y$"].contains(text.prefix(4)), bytes[6] == UInt8(ascii: "$"),
      let cost = Int(text.dropFirst(4).prefix(2)), cost >= 4,
      bytes[7...].allSatisfy({ Self.alphabet.contains($0) })
    else { return nil }
    self.text = text
    self.cost = cost
  }

  private static let alphabet = Set("./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

  /// Whether it is the hash of `password`. Takes 2^cost rounds, about 60 ms for a cost of 10.
  package func matches(_ password: [UInt8]) -> Bool {
    // C strings end at a NUL; what follows one mustn't be left out of the comparison.
    guard !password.contains(0) else { return false }
    let state = UnsafeMutablePointer<crypt_data>.allocate(capacity: 1)
    // Zeroes are the initial state that crypt_r(3) asks for.
    memset(state, 0, MemoryLayout<crypt_data>.size)
    defer {
      explicit_bzero(state, MemoryLayout<crypt_data>.size)
      state.deallocate()
    }
    let phrase = password.map(CChar.init(bitPattern:)) + [0]
    guard let result = crypt_r(phrase, text, state) else { return false }
    return Self.isEqual(UnsafeBufferPointer(start: result, count: strlen(result)), text)
  }

  /// Takes as long wherever the first difference is.
  private static func isEqual(_ computed: UnsafeBufferPointer<CChar>, _ expected: String) -> Bool {
    let expected = Array(expected.utf8)
    guard computed.count == expected.count else { return false }
    var difference: UInt8 = 0
    for (one, other) in zip(computed, expected) { difference |= UInt8(bitPattern: one) ^ other }
    return difference == 0
  }
}
