// SPDX-License-Identifier: Apache-2.0
import CCells
import TCPStateCore

/// Reads recordings back into transitions: our CSV with any columns, our JSON
/// Lines, and the output of tcpstates from bcc and libbpf-tools.
///
/// The caller appends bytes as they come and takes rows until more bytes are
/// needed. What a spreadsheet, a shell or pandas makes of these is read as well: UTF-16, tabs or semicolons between
/// cells, and arrays of JSON objects. A last line that was cut short is left out and sets `wasCut`.
/// What a recording doesn't have is `nil`, as it is live.
public struct TransitionReader: ~Copyable {
  public enum Outcome: Sendable {
    case row
    /// Append more bytes, or let `append` find that there are none.
    case needsBytes
    case end
  }

  /// A column that is read, and its place in the header.
  struct Field {
    var place: UInt32
    var stored: StoredField
    var column: Column
  }

  /// Zero bytes after the text; see `cells_of_row`.
  static let slack = Int(CELLS_SLACK)
  /// The latest time that is accepted, so that adding to one never overflows: 2^63 ns, in 2262.
  static let latest = UInt64(Int64.max)
  /// Longer than any line that we write.
  private static let longestLine = 1 << 20

  /// The header's columns in its order; `nil` where the name isn't ours. JSON Lines have
  /// no header, so there it is the columns of the lines read so far.
  public internal(set) var columns: [Column?] = []
  /// Names in the header that aren't ours.
  public internal(set) var foreignNames: [String] = []
  public private(set) var format = RecordingFormat.csv
  /// Number of the line that was read last, from 1.
  public internal(set) var line: UInt64 = 0
  /// Whether the last line had no end, and so was left out.
  public private(set) var wasCut = false

  var base: UnsafeMutablePointer<UInt8>
  var capacity: Int
  var count = 0
  var position = 0
  var isComplete = false
  private var hasHeader = false
  var knowsEncoding = false
  /// Lines of tcpstates that were read.
  var rowsOfTcpstates: UInt64 = 0
  var foreign: ForeignText?
  var isShaped = false
  /// Whether rows have the time as a number too, which is faster to read.
  private(set) var hasUnixNano = false
  /// Whether the row that is being read has the length of its stay.
  var hasDuration = false
  let words = FieldWords()
  /// A fresh row is copied from here, which is cheaper than initializing each field.
  private let blank = Transition()
  /// The columns that are read, in the header's order.
  private(set) var fields: UnsafeMutablePointer<Field>
  private(set) var fieldCount = 0
  /// Room for where the cells of a row end.
  private(set) var ends: UnsafeMutablePointer<UInt32>
  let nullText: [UInt8]
  /// The columns that the caller wants; the others are skipped. `nil` for all.
  let wanted: Set<Column>?
  /// Bytes of the recording that came before those at `base`.
  private var dropped: UInt64 = 0
  var json = JSONCells()
  var tcpstates = TcpstatesCells()
  /// The header's bytes, to recognize it when it comes again (`cat a.csv b.csv`).
  private var header: [UInt8] = []

  /// - Parameters:
  ///   - nullText: what stands for unknown besides the empty cell: the `--null` it was written with.
  ///   - wanted: the columns to read; the others are skipped in CSV. `nil` for all.
  public init(nullText: String = "", wanted: Set<Column>? = nil, capacity: Int = 1 << 20) {
    self.nullText = Array(nullText.utf8)
    self.wanted = wanted
    self.capacity = max(capacity, 4096)
    base = .allocate(capacity: self.capacity + Self.slack)
    base.initialize(repeating: 0, count: self.capacity + Self.slack)
    fields = .allocate(capacity: 1)
    ends = .allocate(capacity: 1)
  }

  /// Reads a part of a CSV recording that begins with a row.
  ///
  /// - Parameter columns: the header's.
  public init(columns: [Column?], nullText: String = "", wanted: Set<Column>? = nil, capacity: Int = 1 << 20) {
    self.init(nullText: nullText, wanted: wanted, capacity: capacity)
    self.columns = columns
    setFields()
    hasHeader = true
  }

  /// Begins another part of the same recording.
  public mutating func restart() {
    dropped = 0
    count = 0
    position = 0
    line = 0
    isComplete = false
    wasCut = false
  }

  /// The number of bytes that were read as rows, or the header.
  public var consumed: UInt64 { dropped + UInt64(position) }

  deinit {
    base.deallocate()
    fields.deallocate()
    ends.deallocate()
  }

  /// Whether its text had to be converted, so that places in it aren't those in the file.
  public var isForeign: Bool { foreign != nil }

  /// Rows of tcpstates left out, because they were printed long after later rows of their socket.
  public var late: UInt64 { tcpstates.late }

  /// Whether the first line was read.
  public var knowsColumns: Bool { hasHeader && !columns.isEmpty }

  /// Makes room and lets `read` fill it.
  ///
  /// - Parameter read: as read(2), returns the number of bytes, 0 when there are no more.
  /// - Returns: what `read` returned.
  public mutating func append<Failure: Error>(
    _ read: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
  ) throws(Failure) -> Int {
    if foreign != nil { return try appendForeign(read) }
    makeRoom()
    let room = UnsafeMutableRawBufferPointer(start: base + count, count: capacity - count)
    let added = try read(room)
    count += max(added, 0)
    // Within the slack that every allocation has.
    (base + count).update(repeating: 0, count: Self.slack)
    if added <= 0 { isComplete = true }
    return added
  }

  /// Reads the header if it hasn't been read yet, then the next row.
  public mutating func next(_ row: inout Transition) throws(RecordingError) -> Outcome {
    while true {
      if format == .tcpstates, let next = tcpstates.takeReady() {
        row = next
        return .row
      }
      if position == count {
        guard isComplete else { return .needsBytes }
        guard finish() else { return .end }
        continue
      }
      if !hasHeader {
        guard try readHeader() else { return endOrMore() }
        continue
      }
      if format != .csv {
        guard let isRow = try readLine(&row) else {
          let outcome = try endOrMoreOfRow()
          if outcome == .end, finish() { continue }
          return outcome
        }
        guard isRow else { continue }
        return .row
      }
      let start = UnsafePointer(base + position)
      line += 1
      if start.pointee == UInt8(ascii: "\n") {  // an empty line is no row
        position += 1
        continue
      }
      row = blank
      let isWhole = try withUnsafeMutablePointer(to: &row) { (row) throws(RecordingError) in
        try readRow(start, to: row)
      }
      guard isWhole else { return try endOrMoreOfRow() }
      try checkTime(row)
      return .row
    }
  }

  /// All bytes were read.
  ///
  /// - Returns: whether rows that had waited come now.
  private mutating func finish() -> Bool {
    if foreign?.isUnclosed ?? false { wasCut = true }
    guard format == .tcpstates else { return false }
    tcpstates.finish()
    return tcpstates.hasReady
  }

  /// Reads the row of CSV that is the next line.
  ///
  /// - Returns: false when it has no end yet; nothing has changed then.
  @inline(__always)
  private mutating func readRow(
    _ start: UnsafePointer<UInt8>, to row: UnsafeMutablePointer<Transition>
  ) throws(RecordingError) -> Bool {
    hasDuration = false
    if let bytes = try readPlain(start, to: row) {
      position += bytes
    } else {
      var cursor = CellCursor(next: start)
      let before = line - 1
      guard try readCells(&cursor, end: UnsafePointer(base + count), to: row) else {
        line = before
        return false
      }
      position = cursor.next - UnsafePointer(base)
    }
    // A kind without a duration means nothing.
    if !hasDuration { row.pointee.stay = nil }
    return true
  }

  /// Skips the line that `next` failed at.
  ///
  /// - Returns: false if that is impossible, because the header is wrong or the line has no end yet.
  public mutating func skipLine() -> Bool {
    guard hasHeader, let end = lineEnd else { return false }
    position = end + 1
    return true
  }

  /// Whether the line that `next` failed at is the header again.
  public var isAtHeader: Bool {
    guard let end = lineEnd else { return false }
    return UnsafeBufferPointer(start: base + position, count: end - position).elementsEqual(header)
  }

  /// Where the line at `position` ends; `nil` if it has no end yet.
  private var lineEnd: Int? {
    UnsafeBufferPointer(start: base + position, count: count - position)
      .firstIndex(of: UInt8(ascii: "\n")).map { position + $0 }
  }

  /// Reads a line of JSON Lines or tcpstates, which is a whole row.
  ///
  /// - Returns: false if it is empty; `nil` when it has no end yet.
  private mutating func readLine(_ row: inout Transition) throws(RecordingError) -> Bool? {
    guard let end = lineEnd else { return nil }
    let text = UnsafeBufferPointer(start: base + position, count: end - position)
    line += 1
    let isBlank = text.allSatisfy { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\r") }
    guard !isBlank, format == .jsonLines || !TcpstatesCells.isEcho(text) else {
      position = end + 1
      return false
    }
    guard format == .jsonLines else { return try readTcpstates(text, end: end) }
    row = blank
    let (start, stop) = (UnsafePointer(base + position), UnsafePointer(base + end))
    try withUnsafeMutablePointer(to: &row) { (row) throws(RecordingError) in try readObject(start, stop, to: row) }
    try checkTime(row)
    position = end + 1
    return true
  }

  private func checkTime(_ row: borrowing Transition) throws(RecordingError) {
    guard row.time <= Self.latest else { throw RecordingError(line: line, "has a time after the year 2262") }
  }

  private mutating func endOrMoreOfRow() throws(RecordingError) -> Outcome {
    guard count - position < Self.longestLine else {
      throw RecordingError(line: line + 1, "has no end within a megabyte: a quote isn't closed")
    }
    return endOrMore()
  }

  private mutating func endOrMore() -> Outcome {
    guard isComplete else { return .needsBytes }
    position = count
    wasCut = true
    return .end
  }

  mutating func makeRoom() {
    if position > 0 {
      // Both ranges lie in the initialized bytes; they may overlap.
      base.update(from: base + position, count: count - position)
      count -= position
      dropped += UInt64(position)
      position = 0
    }
    if capacity - count < capacity / 2 { grow() }
  }

  mutating func grow() {
    let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: 2 * capacity + Self.slack)
    larger.initialize(repeating: 0, count: 2 * capacity + Self.slack)
    larger.update(from: base, count: count)
    base.deallocate()
    base = larger
    capacity *= 2
  }

  /// - Returns: false when its line isn't complete yet.
  private mutating func readHeader() throws(RecordingError) -> Bool {
    guard learnEncoding() else { return false }
    guard let end = lineEnd ?? (isComplete ? count : nil) else {
      guard count - position < Self.longestLine else {
        throw RecordingError(line: 1, "is neither a recording's header nor a line of text")
      }
      return false
    }
    var text = UnsafeBufferPointer(start: base + position, count: end - position)[...]
    if text.starts(with: [0xef, 0xbb, 0xbf]) { text = text.dropFirst(3) }  // a byte order mark
    let start = position + text.startIndex
    if !isShaped, let shape = ForeignText.shape(text) {
      isShaped = true
      var fresh = foreign ?? ForeignText(.utf8)
      fresh.take(shape)
      foreign = fresh
      position = start
      convert({ $0.shaped($1, isLast: $2) }, from: fresh)
      return position < count ? try readHeader() : false
    }
    if text.dropLast().contains(UInt8(ascii: "\r")) {
      throw RecordingError(
        line: 1, "ends its lines with a carriage return alone, as old Macs did: tr '\\r' '\\n' makes it readable")
    }
    header = Array(text)
    if text.last == UInt8(ascii: "\r") { text = text.dropLast() }
    let isRow: Bool
    if text.first == UInt8(ascii: "{"), let layout = TcpstatesLayout(object: UnsafeBufferPointer(rebasing: text)) {
      format = .tcpstates
      tcpstates.layout = layout
      columns = layout.columns
      isRow = true
    } else if text.first == UInt8(ascii: "{") {
      format = .jsonLines
      isRow = true
    } else if let layout = TcpstatesLayout(header: text) {
      format = .tcpstates
      tcpstates.layout = layout
      columns = layout.columns
      isRow = false
    } else if let count = Self.cells(ofRow: text) {
      columns = Array(Column.allCases.prefix(count))
      isRow = true
    } else {
      line = 1
      try readNames(text)
      isRow = false
    }
    line = isRow ? 0 : 1
    setFields()
    hasHeader = true
    position = isRow ? start : min(end + 1, count)
    return true
  }

  private mutating func setFields() {
    fields.deallocate()
    fields = .allocate(capacity: max(columns.count, 1))
    fieldCount = 0
    for (place, column) in columns.enumerated() {
      guard let column, wanted?.contains(column) ?? true else { continue }
      (fields + fieldCount).initialize(to: Field(place: UInt32(place), stored: column.field, column: column))
      fieldCount += 1
    }
    ends.deallocate()
    ends = .allocate(capacity: columns.count + Int(CELLS_ROOM))
    ends.initialize(repeating: 0, count: columns.count + Int(CELLS_ROOM))
    hasUnixNano = columns.contains(.timestampUnixNano) && wanted?.contains(.timestampUnixNano) ?? true
  }
}
