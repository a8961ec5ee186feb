// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TCPStateReport

/// Reads a recording in pieces, and folds it as the commands do.
enum Recording {
  /// Checks one input of the fuzzer, a recording of any kind; its first byte is the size of the pieces.
  static func check(_ input: UnsafeRawBufferPointer) {
    guard input.count > 1 else { return }
    let text = UnsafeRawBufferPointer(rebasing: input.dropFirst())
    let (rows, _) = read(text, piece: 1 + Int(input[0]))
    let whole = read(text, piece: 1 << 16)
    precondition(rows.count == whole.rows.count, "the size of the pieces matters")
    checkRoundTrip(rows, what: "read rows")
    fold(rows)
    readOn(text)
  }

  /// Reads text up to its end or its first error.
  ///
  /// - Returns: the whole rows, and whether the reader accepted the text.
  static func read(_ bytes: UnsafeRawBufferPointer, piece: Int) -> (rows: [Transition], isTaken: Bool) {
    var reader = TransitionReader(capacity: 4_096)
    var rows: [Transition] = []
    var row = Transition()
    var offset = 0
    do throws(RecordingError) {
      while true {
        switch try reader.next(&row) {
        case .row: rows.append(row)
        case .end: return (rows, true)
        case .needsBytes:
          _ = reader.append { room in
            let count = min(piece, room.count, bytes.count - offset)
            room.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count]))
            offset += count
            return count
          }
        }
      }
    } catch {
      precondition(error.line > 0, "an error without a line: \(error.what)")
      precondition(!error.what.isEmpty, "an error without a message")
      precondition(!error.what.utf8.contains { $0 < 0x20 || $0 == 0x7f }, "unsafe on a terminal: \(error.what)")
      return (rows, false)
    }
  }

  /// Skips the line of each error, as a reader of concatenated recordings does.
  private static func readOn(_ bytes: UnsafeRawBufferPointer) {
    var reader = TransitionReader(capacity: bytes.count + 4_096)
    var isAdded = false
    var row = Transition()
    while true {
      do throws(RecordingError) {
        switch try reader.next(&row) {
        case .row: continue
        case .end: return
        case .needsBytes:
          _ = reader.append { room in
            defer { isAdded = true }
            if !isAdded { room.copyMemory(from: bytes) }
            return isAdded ? 0 : bytes.count
          }
        }
      } catch {
        _ = reader.isAtHeader
        guard reader.skipLine() else { return }
      }
    }
  }

  /// Rows that are written as CSV and read again are the same text when written again.
  ///
  /// Two kinds may change once, and must then stay the same: names that aren't UTF-8, because
  /// U+FFFD takes three bytes instead of one and the name is truncated, and rows with IPv4 at one
  /// end and IPv6 at the other.
  static func checkRoundTrip(_ rows: [Transition], what: String) {
    let text = csv(rows)
    let again = csv(readOwn(text, count: rows.count, what))
    let isMixed = rows.contains { $0.local.address.isIPv4 != $0.peer.address.isIPv4 }
    if isMixed || text.text.unicodeScalars.contains("\u{fffd}") {
      let third = csv(readOwn(again, count: rows.count, what))
      precondition(
        again.text == third.text, "\(what): CSV changes when read and written:\n\(again.text)\n\(third.text)")
    } else {
      precondition(again.text == text.text, "\(what): CSV changes when read and written:\n\(text.text)\n\(again.text)")
    }
  }

  private static func readOwn(_ text: borrowing ByteBuffer, count: Int, _ what: String) -> [Transition] {
    let back = text.withBytes { read($0, piece: 1 << 16) }
    precondition(back.isTaken && back.rows.count == count, "\(what): our own CSV isn't accepted: \(text.text)")
    return back.rows
  }

  private static func csv(_ rows: [Transition]) -> ByteBuffer {
    var writer = CSVWriter(columns: Column.allCases)
    var buffer = ByteBuffer(capacity: 4_096)
    writer.appendHeader(to: &buffer)
    for row in rows { writer.append(row, to: &buffer) }
    return buffer
  }

  /// Shows the rows in every view.
  static func fold(_ rows: [Transition]) {
    var buffer = ByteBuffer(capacity: 4_096)
    var json = JSONLinesWriter(columns: Column.allCases)
    var table = TimelineTable(style: TableStyle(width: 80, color: true))
    var statistics = StateStatistics()
    var filter = RowFilter()
    filter.longerThan = 1_000
    filter.states = [.established, .closeWait]
    for row in rows {
      json.append(row, to: &buffer)
      table.append(row, to: &buffer)
      if let stay = row.stay { statistics.record(row.old, stay) }
      if filter.wants(row) { _ = filter.shows(row) }
    }
    let summaries = TCPState.all.map { statistics.summary(of: $0, openNow: 0) }
    for summary in summaries {
      precondition(summary.p50 ?? 0 <= summary.longest ?? 0, "a median above the longest stay")
    }
    draw(rows, waitsForTimeWait: rows.count % 2 == 0, to: &buffer)
    precondition(!buffer.text.utf8.contains(0), "a NUL is written")
  }

  private static func draw(_ rows: [Transition], waitsForTimeWait: Bool, to buffer: inout ByteBuffer) {
    var tracker = LifecycleTracker(waitsForTimeWait: waitsForTimeWait, limit: 8)
    var lives: [Lifecycle] = []
    for row in rows {
      tracker.apply(row) { lives.append($0) }
      precondition(tracker.count <= 8, "more lives than the limit")
    }
    tracker.finish { lives.append($0) }
    precondition(tracker.count == 0, "lives are left")
    var ladder = LifecycleLadder(style: TableStyle(width: 80, utc: true))
    var json = LifecycleJSON()
    for life in lives {
      ladder.append(life, to: &buffer)
      json.append(life, to: &buffer)
    }
  }
}
