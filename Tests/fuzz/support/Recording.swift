import TCPStateCore
import TCPStateReport

/// What a recording says, read in pieces, and folded as the commands fold it.
enum Recording {
  /// One input of the fuzzer, whatever kind of recording it is: the first byte says how large the pieces are.
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

  /// Reads text to its end or its first mistake.
  ///
  /// - Returns: the whole rows, and whether the reader took the text.
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
      precondition(!error.what.isEmpty, "an error that says nothing")
      precondition(!error.what.utf8.contains { $0 < 0x20 || $0 == 0x7f }, "unsafe on a terminal: \(error.what)")
      return (rows, false)
    }
  }

  /// Reads on behind each mistake, as what appends recordings to each other does.
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

  /// What comes back from CSV is what went in: written again it is the same text.
  ///
  /// But for names that aren't UTF-8, for U+FFFD takes three bytes for one of
  /// theirs and what doesn't fit is cut, and for IPv4 at one end and IPv6 at the
  /// other: these may change once, and are the same ever after.
  static func checkRoundTrip(_ rows: [Transition], what: String) {
    let text = csv(rows)
    let again = csv(readOwn(text, count: rows.count, what))
    let isMixed = rows.contains { $0.local.address.isIPv4 != $0.peer.address.isIPv4 }
    if isMixed || text.text.unicodeScalars.contains("\u{fffd}") {
      let third = csv(readOwn(again, count: rows.count, what))
      precondition(again.text == third.text, "\(what): from CSV comes another CSV:\n\(again.text)\n\(third.text)")
    } else {
      precondition(again.text == text.text, "\(what): from CSV comes another CSV:\n\(text.text)\n\(again.text)")
    }
  }

  private static func readOwn(_ text: borrowing ByteBuffer, count: Int, _ what: String) -> [Transition] {
    let back = text.withBytes { read($0, piece: 1 << 16) }
    precondition(back.isTaken && back.rows.count == count, "\(what): our own CSV isn't taken: \(text.text)")
    return back.rows
  }

  private static func csv(_ rows: [Transition]) -> ByteBuffer {
    var writer = CSVWriter(columns: Column.allCases)
    var buffer = ByteBuffer(capacity: 4_096)
    writer.appendHeader(to: &buffer)
    for row in rows { writer.append(row, to: &buffer) }
    return buffer
  }

  /// Every view that takes rows takes these.
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
