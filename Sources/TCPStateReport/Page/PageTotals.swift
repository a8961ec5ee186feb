// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// The totals of all of a page's rows. Times are nanoseconds since the epoch.
struct PageTotals {
  /// The most losses listed one by one. Further ones only count in the sum.
  private static let maximumLosses = 1_000

  /// The first row's time, the start of all other times on the page.
  private(set) var base: UInt64 = 0
  /// The time of the first change, which finding an open socket isn't, and of the last row.
  private var start = UInt64.max
  private var end: UInt64 = 0
  private var rows: UInt64 = 0
  private var listenerRows: UInt64 = 0
  /// Of these, those that began to listen, and those that stopped.
  private var listenersOpened: UInt64 = 0
  private var listenersClosed: UInt64 = 0
  private var shownRows: UInt64 = 0
  private var lost: UInt64 = 0
  private var losses: [(time: UInt64, count: UInt64)] = []
  private var gaps: UInt64 = 0
  /// Rows whose old state isn't the one that their connection was in.
  var unmatched: UInt64 = 0
  private(set) var lives: UInt64 = 0
  private var ends: UInt64 = 0
  /// Ended lives beyond the page's limit.
  var omitted: UInt64 = 0

  mutating func note(_ row: Transition, lossBefore: UInt64) {
    if rows == 0 { base = row.time }
    rows += 1
    end = max(end, row.time)
    if row.old != row.new { start = min(start, row.time) }
    guard lossBefore > 0 else { return }
    lost.add(saturating: lossBefore)
    gaps += 1
    if losses.count < Self.maximumLosses { losses.append((row.time, lossBefore)) }
  }

  mutating func noteListener(_ row: Transition) {
    listenerRows += 1
    if row.old == .closed, row.new == .listen { listenersOpened += 1 }
    if row.old == .listen, row.new == .closed { listenersClosed += 1 }
  }

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
    buffer.append(",\"rows\":\(rows),\"listenerRows\":\(listenerRows)")
    buffer.append(",\"listeners\":[\(listenersOpened),\(listenersClosed)],\"shownRows\":\(shownRows)")
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
