// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TCPStateReport

/// One recording that is read, and its next row.
final class RecordingInput {
  let file: RecordingFile
  private var reader: TransitionReader
  private let needs: RecordingNeeds
  private let skipsBad: Bool
  private var isChecked = false
  private var lastSequence: UInt64 = 0
  /// Lines left out when that row was read.
  private var badBefore: UInt64 = 0

  /// The row that comes next; meaningless after the end.
  private(set) var row = Transition()
  /// Events lost right before `row`: a gap in the sequence, less the lines of it that were left out.
  private(set) var lossBefore: UInt64 = 0
  private(set) var rows: UInt64 = 0
  private(set) var bad: UInt64 = 0
  /// The first line that was left out, and why.
  private(set) var firstBad: String?

  init(path: String, _ inputs: RecordingInputs) throws(Failure) {
    file = try RecordingFile(path: path)
    reader = TransitionReader(nullText: inputs.nullText, wanted: inputs.wanted, capacity: inputs.bufferSize)
    needs = inputs.needs
    skipsBad = inputs.skipsBad
  }

  /// Reads until `row` is the next.
  ///
  /// - Parameter beforeReading: is called before more bytes are read, which may take time.
  /// - Returns: false at the end.
  func advance(beforeReading: () throws -> Void) throws -> Bool {
    while true {
      switch try next() {
      case .row:
        let gap = lastSequence.gap(to: row.sequence)
        lossBefore = gap - min(gap, bad - badBefore)
        badBefore = bad
        lastSequence = row.sequence
        rows += 1
        return true
      case .needsBytes:
        try beforeReading()
        _ = try reader.append { (room: UnsafeMutableRawBufferPointer) throws(Failure) -> Int in try file.read(room) }
      case .end:
        try check(atEnd: true)
        return false
      }
    }
  }

  /// Whether it ends before its time: in its last line, or as an archive.
  var isCut: Bool { reader.wasCut || file.isTruncated }

  /// Rows left out, because they were recorded long after later rows of their connection.
  var late: UInt64 { reader.late }

  /// What isn't as it should be, but no error.
  var notes: [String] {
    var notes: [String] = []
    if bad > 0, let firstBad {
      notes.append(
        "\(NumberText.string(bad)) line\(bad == 1 ? " was" : "s were") left out; \(bad == 1 ? "it is" : "the first is") \(firstBad)"
      )
    }
    if late > 0 {
      notes.append(
        "\(file.name): \(NumberText.string(late)) row\(late == 1 ? "" : "s") left out, printed long after later rows of the same socket"
      )
    }
    if reader.wasCut, !file.isTruncated {
      notes.append("\(file.name):\(reader.line + 1): the last line is cut short and was left out")
    } else if file.isTruncated {
      notes.append("\(file.name) is cut short; it was read as far as it goes")
    }
    return notes
  }

  private func next() throws(Failure) -> TransitionReader.Outcome {
    while true {
      let outcome: TransitionReader.Outcome
      do throws(RecordingError) {
        outcome = try reader.next(&row)
      } catch {
        if isChecked || error.line > 1, reader.isAtHeader, reader.skipLine() { continue }
        guard skipsBad, error.line > 1 || isChecked, reader.skipLine() else {
          throw Failure(.badInput, "\(file.name):\(error.line): \(error.what)")
        }
        bad += 1
        if firstBad == nil { firstBad = "\(file.name):\(error.line): \(error.what)" }
        continue
      }
      if !isChecked, reader.line > 1 || outcome == .row { try check(atEnd: false) }
      return outcome
    }
  }

  private func check(atEnd: Bool) throws(Failure) {
    guard !isChecked else { return }
    guard reader.knowsColumns else {
      // JSON Lines of nothing are empty.
      guard atEnd, !file.name.contains(".jsonl") else { return }
      throw Failure(
        .badInput,
        "\(file.name) \(file.isTruncated ? "is cut short before its first line" : "is empty: not even a header")")
    }
    isChecked = true
    let missing = needs.missing(in: reader.columns, reader.format)
    guard !missing.isEmpty else { return }
    let names = missing.map { $0.csvName.description }.joined(separator: ", ")
    // What may have been meant by a name that is none of ours.
    let meant = reader.foreignNames.first { name in
      guard
        case .failure(.unknown(_, let nearest?)) = Result(catching: { () throws(ColumnListError<Column>) in
          try Column.parse(name)
        })
      else { return false }
      return missing.contains(nearest)
    }
    let remedy =
      switch reader.format {
      case .csv where meant != nil: "; the header has '\(Message.printable(meant ?? ""))'"
      case .tcpstates: ", which tcpstates doesn't print"
      case .csv, .jsonLines:
        missing.contains { !Column.defaults.contains($0) }
          ? "; record with --columns all" : "; record without --columns"
      }
    throw Failure(
      .badInput, "\(file.name):1: \(needs.command) needs the column\(missing.count > 1 ? "s" : "") \(names)\(remedy)")
  }
}
