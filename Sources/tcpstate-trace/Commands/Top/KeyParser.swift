import TCPStateReport

/// From bytes of a terminal to keys: ECMA-48 sequences as xterm and tmux send them.
enum KeyParser {
  static func keys(_ bytes: [UInt8]) -> [TopView.Key] {
    let sequences: [(String, TopView.Key)] = [
      ("\u{1b}[A", .up), ("\u{1b}[B", .down), ("\u{1b}[C", .right), ("\u{1b}[D", .left),
      ("\u{1b}OC", .right), ("\u{1b}OD", .left), ("\u{1b}OA", .up), ("\u{1b}OB", .down), ("\u{1b}[5~", .pageUp),
      ("\u{1b}[6~", .pageDown), ("\u{1b}[H", .home), ("\u{1b}[F", .end), ("\u{1b}[1~", .home), ("\u{1b}[4~", .end),
    ]
    var keys: [TopView.Key] = []
    var rest = bytes[...]
    next: while let byte = rest.first {
      for (sequence, key) in sequences where rest.starts(with: sequence.utf8) {
        keys.append(key)
        rest = rest.dropFirst(sequence.utf8.count)
        continue next
      }
      switch byte {
      case 0x1b:
        guard rest.count > 1, rest[rest.startIndex + 1] == UInt8(ascii: "[") else {
          keys.append(.escape)
          break
        }
        // A key that means nothing here: passed over up to its final byte.
        rest = rest.dropFirst(2).drop { $0 < 0x40 || $0 > 0x7e }
      case 0x0d, 0x0a: keys.append(.enter)
      case 0x7f, 0x08: keys.append(.backspace)
      case 0x20..<0x7f: keys.append(.character(Character(Unicode.Scalar(byte))))
      default: break
      }
      rest = rest.dropFirst()
    }
    return keys
  }
}
