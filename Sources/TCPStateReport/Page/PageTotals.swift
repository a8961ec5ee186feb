import TCPStateCore

/// What a page says of its rows as a whole. Times are nanoseconds since the epoch.
struct PageTotals {
  /// Losses that are told one by one; of more only the sum is.
  private static let maximumLosses = 1_000

  /// The first row's time, which the page's other times count from.
  private(set) var base: UInt64 = 0
  /// The first and last time at which something happened; found sockets have been there before.
  private var start = UInt64.max
  private var end: UInt64 = 0
  private var rows: UInt64 = 0
  private var listenerRows: UInt64 = 0
  private var shownRows: UInt64 = 0
  private var lost: UInt64 = 0
  private var losses: [(time: UInt64, count: UInt64)] = []
  private var gaps: UInt64 = 0
  /// Rows that contradict what their connection was in before.
  var unmatched: UInt64 = 0
  private(set) var lives: UInt64 = 0
  private var ends: UInt64 = 0
  /// Lives that had no room in the page.
  var omitted: UInt64 = 0

  mutating func note(_ row: Transition, lossBefore: UInt64) {
    if rows == 0 { base = row.time }
    rows += 1
    end = max(end, row.time)
    if row.old != row.new { start = min(start, row.time) }
    guard lossBefore > 0 else { return }
    lost += lossBefore
    gaps += 1
    if losses.count < Self.maximumLosses { losses.append((row.time, lossBefore)) }
  }

  mutating func noteListener(_ row: Transition) { listenerRows += 1 }

  mutating func note(_ life: Lifecycle) {
    lives += 1
    for side in Side.allCases {
      guard let end = life[side] else { continue }
      ends += 1
      shownRows += UInt64(end.rowCount)
    }
  }

  /// Appends one object.
  func append(to buffer: inout ByteBuffer) {
    buffer.append("{\"base\":\"\(base)\",\"start\":")
    buffer.append(json: min(start, end), since: base)
    buffer.append(",\"end\":")
    buffer.append(json: end, since: base)
    buffer.append(",\"rows\":\(rows),\"listenerRows\":\(listenerRows),\"shownRows\":\(shownRows)")
    buffer.append(",\"lives\":\(lives),\"ends\":\(ends),\"omitted\":\(omitted),\"unmatched\":\(unmatched)")
    buffer.append(",\"lost\":\(lost),\"gaps\":\(gaps),\"losses\":[")
    for (index, loss) in losses.enumerated() {
      if index > 0 { buffer.append(UInt8(ascii: ",")) }
      buffer.append(UInt8(ascii: "["))
      buffer.append(json: loss.time, since: base)
      buffer.append(",\(loss.count)]")
    }
    buffer.append("]}")
  }
}
