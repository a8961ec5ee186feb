// SPDX-License-Identifier: Apache-2.0
import TCPStateReport

/// Turns a terminal's bytes into keys: ECMA-48 sequences as xterm, tmux and the Linux console send them, and UTF-8.
///
/// A read may end in the middle of a sequence or a character; those bytes wait for the next read.
/// An ESC at the end of a read is the Escape key, because nothing but time would distinguish the two.
struct KeyParser {
  /// A sequence longer than this is not a key's, and isn't waited for.
  private static let longest = 32

  private static let sequences: [[UInt8]: TopView.Key] = {
    let table: [(String, TopView.Key)] = [
      ("[A", .up), ("[B", .down), ("[C", .right), ("[D", .left), ("OA", .up), ("OB", .down), ("OC", .right),
      ("OD", .left), ("[5~", .pageUp), ("[6~", .pageDown), ("[H", .home), ("[F", .end), ("[1~", .home), ("[4~", .end),
    ]
    return Dictionary(uniqueKeysWithValues: table.map { (Array("\u{1b}\($0.0)".utf8), $0.1) })
  }()

  /// The beginning of a sequence or a character.
  private var pending: [UInt8] = []

  /// The keys that these bytes complete.
  mutating func keys(_ bytes: [UInt8]) -> [TopView.Key] {
    var keys: [TopView.Key] = []
    var rest = (pending + bytes)[...]
    while let length = Self.length(rest) {
      if let key = Self.key(rest.prefix(length)) { keys.append(key) }
      rest = rest.dropFirst(length)
    }
    pending = Array(rest)
    return keys
  }

  /// How many bytes the first key takes; `nil` if they haven't all arrived.
  private static func length(_ bytes: ArraySlice<UInt8>) -> Int? {
    guard let first = bytes.first else { return nil }
    if first != 0x1b { return characterLength(bytes, first) }
    switch bytes.dropFirst().first {
    case UInt8(ascii: "["): return bracketLength(bytes)
    case UInt8(ascii: "O"): return bytes.count < 3 ? nil : 3
    default: return 1
    }
  }

  /// A control sequence: parameters, then one final byte (ECMA-48, section 5.4).
  private static func bracketLength(_ bytes: ArraySlice<UInt8>) -> Int? {
    let parameters = bytes.dropFirst(2).prefix { (0x20...0x3f).contains($0) }
    let length = 2 + parameters.count
    guard length < bytes.count else { return length > longest ? length : nil }
    let final = bytes[bytes.startIndex + length]
    // The Linux console's F1 to F5 are `[[A` to `[[E`.
    if final == UInt8(ascii: "["), parameters.isEmpty { return bytes.count < 4 ? nil : 4 }
    // Anything else but a final byte cancels the sequence and is a key of its own.
    return (0x40...0x7e).contains(final) ? length + 1 : length
  }

  private static func characterLength(_ bytes: ArraySlice<UInt8>, _ first: UInt8) -> Int? {
    let length =
      switch first {
      case 0xc2...0xdf: 2
      case 0xe0...0xef: 3
      case 0xf0...0xf4: 4
      default: 1
      }
    let tail = bytes.dropFirst().prefix(length - 1).prefix { (0x80...0xbf).contains($0) }
    if tail.count == length - 1 { return length }
    return bytes.count == tail.count + 1 ? nil : 1
  }

  /// The key that these bytes are; `nil` for one that means nothing here.
  private static func key(_ bytes: ArraySlice<UInt8>) -> TopView.Key? {
    switch bytes.first {
    case 0x1b: return bytes.count == 1 ? .escape : sequences[Array(bytes)] ?? mouse(bytes)
    case 0x0d, 0x0a: return .enter
    case 0x7f, 0x08: return .backspace
    default: break
    }
    guard let text = String(validating: bytes, as: UTF8.self), let scalar = text.unicodeScalars.first,
      scalar.value >= 0x20, !(0x7f...0x9f).contains(scalar.value)
    else { return nil }
    return .character(Character(scalar))
  }

  /// A report of the mouse in xterm's SGR form, `ESC [ < button ; column ; line M`, both from 1; the release ends in `m`.
  private static func mouse(_ bytes: ArraySlice<UInt8>) -> TopView.Key? {
    guard bytes.starts(with: [0x1b, UInt8(ascii: "["), UInt8(ascii: "<")]), bytes.last == UInt8(ascii: "M")
    else { return nil }
    let numbers = bytes.dropFirst(3).dropLast().split(separator: UInt8(ascii: ";"))
      .map { Int(String(decoding: $0, as: UTF8.self)) ?? 0 }
    guard numbers.count == 3, numbers[1] > 0, numbers[2] > 0 else { return nil }
    switch numbers[0] {
    case 0: return .click(x: numbers[1] - 1, y: numbers[2] - 1)
    case 64: return .wheelUp
    case 65: return .wheelDown
    default: return nil
    }
  }
}
