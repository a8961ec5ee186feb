import TCPStateCore

/// What reading JSON Lines needs besides the line: which column a key is, and room for a value.
struct JSONCells {
  private struct Key {
    let bytes: [UInt8]
    let column: Column?
  }

  /// Keys met so far, in the order they came: the next line mostly has the same.
  private var keys: [Key] = []
  private var next = 0
  /// The value that is being read, then `Cell.slack` zero bytes.
  var value: [UInt8] = []

  mutating func begin() { next = 0 }

  /// - Returns: the column, and whether the key is new; `nil` for one that is none of ours.
  mutating func column(of key: UnsafeBufferPointer<UInt8>) -> (column: Column?, isNew: Bool) {
    for _ in 0..<keys.count {
      if next >= keys.count { next = 0 }
      next += 1
      if keys[next - 1].bytes.elementsEqual(key) { return (keys[next - 1].column, false) }
    }
    let text = String(decoding: key, as: UTF8.self)
    let column = Column(jsonName: text) ?? Column(csvName: text)
    // As many as there are columns, and some: foreign keys may be made up for each line.
    guard keys.count < 256 else { return (column, true) }
    keys.append(Key(bytes: Array(key), column: column))
    next = keys.count
    return (column, true)
  }
}
