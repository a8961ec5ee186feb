// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// Process names as text. A process chooses its own name, which may have commas,
/// quotes, line breaks, escape sequences, and bytes that aren't UTF-8.
public enum NameText {
  /// The most bytes that 16 become, six for each control character in JSON, and the slack of `Word`s.
  static let room = 16 * 6 + 32
  /// The same of an interned text.
  static let longRoom = InternedText.longest * 6 + 32

  /// Appends a name for a terminal.
  ///
  /// Control and formatting characters and invalid UTF-8 are shown as `\x1b` or
  /// `\u202e`, so nothing that moves the cursor or reorders text is sent.
  ///
  /// - Returns: how many columns of a terminal it takes.
  @discardableResult
  public static func append(visible name: ShortName, to buffer: inout ByteBuffer) -> Int {
    var cursor = buffer.cursor(room: room)
    defer { buffer.commit(cursor) }
    if name.isPlain {
      cursor.put(name.storage.0, name.storage.1, count: name.count)
      return name.count
    }
    return cursor.put(visible: name)
  }

  public static func visibleString(_ name: ShortName) -> String {
    var buffer = ByteBuffer(capacity: 256)
    append(visible: name, to: &buffer)
    return buffer.text
  }
}

extension ByteCursor {
  /// Writes a name for a terminal.
  ///
  /// - Returns: how many columns of a terminal it takes.
  fileprivate mutating func put(visible name: some NameBytes) -> Int {
    var width = 0
    var scalars = NameScalars(name)
    while let element = scalars.next() {
      switch element {
      case .scalar(let scalar) where !scalar.isUnsafeOnTerminal:
        put(scalar)
        width += DisplayWidth.of(scalar)
      case .scalar(let scalar):
        width += put(escaped: scalar)
      case .invalid(let bytes):
        for index in bytes { width += put(escapedByte: name[index]) }
      }
    }
    return width
  }

  /// Writes a CSV cell that isn't null: RFC 4180, in quotes if needed.
  @inline(never)
  mutating func put(csv name: some NameBytes, _ style: CSVStyle) {
    let start = next
    let first = name[0]
    if style.excelSafe, Self.startsFormula(first) { put(UInt8(ascii: "'")) }
    var quotes = style.matchesNull(name)
    var scalars = NameScalars(name)
    while let element = scalars.next() {
      switch element {
      case .scalar(let scalar) where style.terminalSafe && scalar.isUnsafeOnTerminal:
        _ = put(escaped: scalar)
      case .scalar(let scalar):
        put(scalar)
        quotes = quotes || scalar == "," || scalar == "\"" || scalar == "\n" || scalar == "\r"
      case .invalid(let bytes):
        if style.terminalSafe {
          for index in bytes { _ = put(escapedByte: name[index]) }
        } else {
          put("\u{fffd}" as Unicode.Scalar)
        }
      }
    }
    if quotes { quote(from: start) }
  }

  /// Whether a spreadsheet runs text that begins with this byte as a formula.
  private static func startsFormula(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "="), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "@"), 9, 13: true
    default: false
    }
  }

  /// Puts quotes around the text from `start`, and doubles the quotes in it.
  private mutating func quote(from start: UnsafeMutablePointer<UInt8>) {
    let mark = UInt8(ascii: "\"")
    var inside = 0
    for index in 0..<(next - start) where start[index] == mark { inside += 1 }
    var source = next
    var target = next + inside + 2
    next = target
    target -= 1
    target.pointee = mark
    while source > start {
      source -= 1
      target -= 1
      target.pointee = source.pointee
      if source.pointee == mark {
        target -= 1
        target.pointee = mark
      }
    }
    start.pointee = mark
  }

  /// Writes the text between the quotes of a JSON string (RFC 8259, section 7).
  @inline(never)
  mutating func put(json name: some NameBytes) {
    var scalars = NameScalars(name)
    while let element = scalars.next() {
      switch element {
      case .scalar("\""): put("\\\"" as StaticString)
      case .scalar("\\"): put("\\\\" as StaticString)
      case .scalar(let scalar) where scalar.isUnsafeOnTerminal && scalar.value <= 0xffff:
        put("\\u" as StaticString)
        put(hex4: scalar.value)
      case .scalar(let scalar): put(scalar)
      case .invalid: put("\u{fffd}" as Unicode.Scalar)
      }
    }
  }

  /// Writes `\x1b`, or `\u202e` beyond ASCII.
  ///
  /// - Returns: how many columns of a terminal it takes.
  fileprivate mutating func put(escaped scalar: Unicode.Scalar) -> Int {
    guard scalar.value >= 0x80 else { return put(escapedByte: UInt8(scalar.value)) }
    put("\\u" as StaticString)
    put(hex4: scalar.value)
    return 6
  }

  fileprivate mutating func put(escapedByte byte: UInt8) -> Int {
    put("\\x" as StaticString)
    put(hexDigit: UInt32(byte) >> 4)
    put(hexDigit: UInt32(byte) & 15)
    return 4
  }

  private mutating func put(hex4 number: UInt32) {
    for shift: UInt32 in [12, 8, 4, 0] { put(hexDigit: number >> shift & 15) }
  }

  private mutating func put(hexDigit digit: UInt32) {
    put(UInt8(digit < 10 ? 48 + digit : 87 + digit))
  }
}

extension Unicode.Scalar {
  /// Whether it controls the terminal or the direction of text rather than showing
  /// something: C0, DEL, C1, line separators, zero-width and bidirectional marks.
  /// All are in the Basic Multilingual Plane.
  var isUnsafeOnTerminal: Bool {
    switch value {
    case 0..<0x20, 0x7f..<0xa0, 0x200b...0x200f, 0x2028...0x202e, 0x2060...0x206f, 0xfeff: true
    default: false
    }
  }
}

extension ShortName {
  /// Whether every byte is printable ASCII and none is a comma, a quote or a backslash:
  /// such a name is the same in every format.
  ///
  /// Eight bytes of a word are tested at once (S. E. Anderson, "Bit Twiddling Hacks",
  /// "Determine if a word has a byte equal to n"). Borrows make such a test wrong
  /// only above the lowest hit, and padding is a hit, so the name is plain if its
  /// lowest hit is where its padding begins.
  @inline(__always)
  var isPlain: Bool {
    @inline(__always)
    func plainPrefix(_ word: UInt64) -> Int {
      let ones: UInt64 = 0x0101_0101_0101_0101
      @inline(__always)
      func zeros(_ word: UInt64) -> UInt64 { (word &- ones) & ~word }
      let hits =
        (word &- ones &* 0x20) & ~word  // below space, including padding
        | word  // beyond ASCII
        | zeros(word ^ ones &* 0x22)  // "
        | zeros(word ^ ones &* 0x2c)  // ,
        | zeros(word ^ ones &* 0x5c)  // \
        | zeros(word ^ ones &* 0x7f)
      return (hits & 0x8080_8080_8080_8080).trailingZeroBitCount >> 3
    }
    let count = count
    return plainPrefix(storage.0) == min(count, 8)
      && (count <= 8 || plainPrefix(storage.1) == count - 8)
  }
}
