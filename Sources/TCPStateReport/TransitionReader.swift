import TCPStateCore

/// Reads recordings: our CSV, whatever its columns, back into transitions.
///
/// The caller appends bytes as they come and takes rows until more bytes are
/// needed. A last line that was cut short is left out, and `wasCut` tells.
/// What a recording doesn't say is `nil`, as it is live.
public struct TransitionReader: ~Copyable {
  public enum Outcome: Sendable {
    case row
    /// Append more, or say that there is no more.
    case needsBytes
    case end
  }

  /// Zero bytes after the text; see `CellCursor`.
  private static let slack = 32
  /// No line of ours is longer.
  private static let longestLine = 1 << 20

  /// The header's columns in its order; `nil` where the name is none of ours.
  public private(set) var columns: [Column?] = []
  /// The line that was read last, from 1.
  public internal(set) var line: UInt64 = 0
  /// Whether the last line had no end, and so was left out.
  public private(set) var wasCut = false

  private var base: UnsafeMutablePointer<UInt8>
  private var capacity: Int
  private var count = 0
  private var position = 0
  private var isComplete = false
  private var hasHeader = false
  /// Whether the time comes as a number, which is faster to read.
  private(set) var hasUnixNano = false
  private(set) var hasDuration = false
  let words = FieldWords()
  /// A fresh row is copied from here: cheaper than making one field by field.
  private let blank = Transition()
  /// The columns' raw values, `noColumn` for none of ours: as many as `columns`.
  var codes: UnsafeMutablePointer<UInt8>
  static var noColumn: UInt8 { .max }
  let nullText: [UInt8]

  /// - Parameter nullText: what stands for unknown besides the empty cell, as `--null` had it.
  public init(nullText: String = "", capacity: Int = 1 << 20) {
    self.nullText = Array(nullText.utf8)
    self.capacity = max(capacity, 4096)
    base = .allocate(capacity: self.capacity + Self.slack)
    base.initialize(repeating: 0, count: self.capacity + Self.slack)
    codes = .allocate(capacity: 1)
  }

  deinit {
    base.deallocate()
    codes.deallocate()
  }

  /// Whether the recording has the column; false before its header was read.
  public func has(_ column: Column) -> Bool { columns.contains(column) }

  /// Makes room and lets `read` fill it, as read(2): the number of bytes, 0 when there are no more.
  public mutating func append<Failure: Error>(
    _ read: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
  ) throws(Failure) -> Int {
    makeRoom()
    let room = UnsafeMutableRawBufferPointer(start: base + count, count: capacity - count)
    let added = try read(room)
    count += max(added, 0)
    // Within the slack that every allocation has.
    (base + count).update(repeating: 0, count: Self.slack)
    if added <= 0 { isComplete = true }
    return added
  }

  /// Reads the header if it hasn't been yet, then the next row.
  public mutating func next(_ row: inout Transition) throws(RecordingError) -> Outcome {
    while true {
      if position == count { return isComplete ? .end : .needsBytes }
      if !hasHeader {
        guard try readHeader() else { return endOrMore() }
        continue
      }
      var cursor = CellCursor(next: UnsafePointer(base + position))
      let lines = line
      line += 1
      if cursor.byte == UInt8(ascii: "\n") {  // an empty line is no row
        position += 1
        continue
      }
      row = blank
      guard try readCells(&cursor, end: UnsafePointer(base + count), to: &row) else {
        line = lines
        return try endOrMoreOfRow()
      }
      position = cursor.next - UnsafePointer(base)
      return .row
    }
  }

  private mutating func endOrMoreOfRow() throws(RecordingError) -> Outcome {
    guard count - position < Self.longestLine else {
      throw RecordingError(line: line + 1, "has no end in a megabyte: a quote isn't closed")
    }
    return endOrMore()
  }

  private mutating func endOrMore() -> Outcome {
    guard isComplete else { return .needsBytes }
    position = count
    wasCut = true
    return .end
  }

  private mutating func makeRoom() {
    if position > 0 {
      // Both ranges lie in the initialized bytes; they may overlap.
      base.update(from: base + position, count: count - position)
      count -= position
      position = 0
    }
    guard capacity - count < capacity / 2 else { return }
    let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: 2 * capacity + Self.slack)
    larger.initialize(repeating: 0, count: 2 * capacity + Self.slack)
    larger.update(from: base, count: count)
    base.deallocate()
    base = larger
    capacity *= 2
  }

  /// - Returns: false when its line isn't complete yet.
  private mutating func readHeader() throws(RecordingError) -> Bool {
    let bytes = UnsafeBufferPointer(start: base + position, count: count - position)
    guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else {
      guard bytes.count < Self.longestLine else {
        throw RecordingError(line: 1, "is no header of a recording, nor any line of text")
      }
      return false
    }
    line = 1
    var text = bytes[..<end]
    if text.last == UInt8(ascii: "\r") { text = text.dropLast() }
    if text.starts(with: [0xef, 0xbb, 0xbf]) { text = text.dropFirst(3) }  // a byte order mark
    for name in text.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
      let bare = name.first == 34 && name.last == 34 && name.count > 1 ? name.dropFirst().dropLast() : name
      let column = Column(csvName: String(decoding: bare, as: UTF8.self))
      if let column, columns.contains(column) {
        throw RecordingError(line: 1, "has the column \(column.csvName) twice")
      }
      columns.append(column)
    }
    guard columns.contains(.stateNew) || columns.compactMap({ $0 }).count > 2 else {
      throw RecordingError(
        line: 1, "is not the header of a recording by tcpstate-trace --format csv: \(RecordingError.quoted(text))")
    }
    codes.deallocate()
    codes = .allocate(capacity: columns.count)
    for (index, column) in columns.enumerated() {
      // There are fewer columns than 255.
      (codes + index).initialize(to: column.map { UInt8(truncatingIfNeeded: $0.rawValue) } ?? Self.noColumn)
    }
    hasHeader = true
    hasUnixNano = columns.contains(.timestampUnixNano)
    hasDuration = columns.contains(.stateDuration)
    position += end + 1
    return true
  }
}
