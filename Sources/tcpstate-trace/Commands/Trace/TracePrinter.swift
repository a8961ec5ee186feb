// SPDX-License-Identifier: Apache-2.0
import Glibc
import TCPStateCore
import TCPStateReport

/// What becomes of the transitions of `trace`: filtered, counted, rendered, written.
struct TracePrinter: OutputSink, ~Copyable {
  private let format: OutputFormat
  private var csv: CSVWriter
  private var jsonLines: JSONLinesWriter
  private var table: TimelineTable
  private var file: OutputFile
  private var statistics = StateStatistics()
  private let filter: RowFilter
  private let choosesRows: Bool
  private let limit: UInt64?
  private let noHeader: Bool
  private var held: HeldRows
  private var heldOwners: HeldOwners
  /// Where the rows go, as far as the status line is concerned.
  private let destination: Destination
  /// On the rows' clock.
  private var (now, lastChange): (UInt64, UInt64) = (0, 0)
  private var shownBefore: UInt64 = 0
  private var failure: Failure?
  /// Rows written, and so the last row's sequence number when nothing was lost.
  private var shown: UInt64 = 0
  private var sequence: UInt64 = 0
  private var received: UInt64 = 0
  private var lost: UInt64 = 0
  private let kind: Kind
  private var sockets = OpenSockets()
  private var firstTime: UInt64?
  private var lastTime: UInt64 = 0

  private enum Destination {
    case terminal, file, pipe
  }

  /// For so long nothing happens before the status line says so.
  private static let quietAfter: UInt64 = 1_000_000_000

  /// What the rows come from.
  enum Kind {
    case live
    /// One recording, all of it: its rows keep their numbers.
    case whole
    /// Several, or some rows of one: they are numbered anew.
    case selected
  }

  init(output: OutputOptions, columns: [Column], filter: RowFilter, limit: UInt64?, kind: Kind = .live) throws {
    self.filter = filter
    choosesRows = !filter.isOpen
    self.kind = kind
    self.limit = limit
    noHeader = output.noHeader
    held = HeldRows(filter)
    heldOwners = HeldOwners(filter)
    file = try output.destination.open()
    let toTerminal = isatty(file.descriptor) == 1
    format = output.format
    csv = CSVWriter(
      columns: columns,
      style: CSVStyle(nullText: output.nullText ?? "", excelSafe: output.excelSafe, terminalSafe: toTerminal))
    jsonLines = JSONLinesWriter(columns: columns)
    table = TimelineTable(
      style: TableStyle(
        width: toTerminal ? Terminal.width(of: file.descriptor) : nil,
        color: output.color.applies(to: file.descriptor), utc: output.utc, glyphs: .ofLocale))
    destination = toTerminal ? .terminal : output.output != nil && output.output != "-" ? .file : .pipe
  }

  var descriptor: Int32 { file.descriptor }

  var wantsReadings: Bool { format != .table && !csv.columns.allSatisfy(\.isDefault) }

  /// Whether nothing more is to be shown: enough was, or the reader is gone.
  var isDone: Bool { file.isClosed || limit.map { shown >= $0 } ?? false }

  var waiting: Int { file.waiting }

  /// The header line, for the first flush.
  mutating func begin() throws {
    guard !noHeader, format != .jsonl else { return }
    var header = ByteBuffer(capacity: 1024)
    if format == .csv { csv.appendHeader(to: &header) } else { table.appendHeader(to: &header) }
    try file.appendHeader(header)
  }

  mutating func receive(_ row: inout Transition, lossBefore: UInt64) {
    sequence.add(saturating: lossBefore)
    lost.add(saturating: lossBefore)
    if row.isLossMarker { return showLoss(&row) }
    if kind != .live { follow(row) }
    if !row.isFound { received += 1 }
    if choosesRows {
      if held.holds(row) { return }
      if !held.isEmpty, var earlier = held.release(row) { show(&earlier) }
      if !heldOwners.isEmpty { for var earlier in heldOwners.release(row) { show(&earlier) } }
      if heldOwners.holds(row) { return }
    }
    // A table of transitions has no place for what only was there.
    if row.isFound, format == .table { return }
    show(&row)
  }

  mutating func advance(to now: UInt64) {
    heldOwners.sweep(now: now)
    if shown != shownBefore || lastChange == 0 { (shownBefore, lastChange) = (shown, now) }
    self.now = now
  }

  /// Into a file, how many rows; on the terminal, that the rows are not forgotten while there are none.
  func status(open: UInt64) -> String? {
    switch destination {
    case .pipe: return nil
    case .file:
      let filtered = shown >= received ? "" : " of \(NumberText.string(received))"
      return "\(NumberText.string(shown))\(filtered) transitions, \(NumberText.string(lost)) lost"
    case .terminal:
      let quiet = now - min(lastChange, now)
      guard quiet >= Self.quietAfter else { return nil }
      let since = DurationText.string(quiet / 1_000_000_000 * 1_000_000_000)
      let others = received - min(shown, received)
      let matching = others == 0 ? "" : " that match (\(NumberText.string(others)) that don't)"
      return "No transitions\(matching) for \(since); \(NumberText.string(open)) connection\(open == 1 ? "" : "s") open"
    }
  }

  /// The group of sockets that the table leaves out.
  private static let unwanted: Int32 = 1

  /// What the closing table of a recording needs; live, the tracker knows it. The last line is about the whole
  /// recording: its rows, its span, and whether they fit together.
  private mutating func follow(_ row: borrowing Transition) {
    sockets.apply(row, group: filter.wants(row) ? 0 : Self.unwanted)
    guard row.hasTime, !row.isFound else { return }
    if row.time < firstTime ?? .max { firstTime = row.time }
    lastTime = max(lastTime, row.time)
  }

  /// Whether rows wait for their local port; `now` is on the rows' clock.
  mutating func waitsForPorts(now: UInt64) -> Bool { held.needReading(now: now) }

  /// A connecting socket was found, with its local port.
  mutating func learnPort(_ connection: UInt64, _ port: UInt16) {
    guard port != 0, var row = held.release(connection, port: port) else { return }
    show(&row)
  }

  /// All connecting sockets were read, from `time` on the rows' clock.
  mutating func learnedPorts(at time: UInt64) { held.dropOlder(than: time) }

  @inline(__always)
  private mutating func show(_ row: inout Transition) {
    if choosesRows, !withUnsafePointer(to: &row, { filter.wants($0) }) { return }
    if let stay = row.stay { statistics.record(row.old, stay) }
    if choosesRows, !filter.shows(row) { return }
    if isDone { return }
    sequence.add(saturating: 1)
    shown += 1
    if kind != .whole || row.sequence == 0 { row.sequence = sequence }
    withUnsafePointer(to: &row) { render($0) }
    if file.isFullBlock { writeBlock() }
  }

  /// Writes while the block is still in the cache; a failure waits for the next flush.
  @inline(never)
  private mutating func writeBlock() {
    guard failure == nil else { return }
    do throws(Failure) {
      try file.writeBlock()
    } catch {
      failure = error
    }
  }

  @inline(__always)
  private mutating func render(_ row: UnsafePointer<Transition>) {
    switch format {
    case .csv: csv.append(row, to: &file.pending)
    case .jsonl: jsonLines.append(row, to: &file.pending)
    case .table: table.append(row.pointee, to: &file.pending)
    }
  }

  /// Writes what there is.
  ///
  /// - Returns: whether some has to wait for the reader.
  mutating func flush() throws -> Bool {
    if let failure { throw failure }
    return try file.flush()
  }

  mutating func finish() { file.complete() }

  mutating func finish(lossAfter loss: UInt64, at time: UInt64) {
    if loss > 0 {
      var marker = Transition.lossMarker(time: time, sequence: 0)
      receive(&marker, lossBefore: loss)
    }
    finish()
  }

  /// Rows show a loss by a gap in their sequence, so there has to be one after it.
  private mutating func showLoss(_ row: inout Transition) {
    guard format != .table, !isDone else { return }
    sequence.add(saturating: 1)
    if kind != .whole || row.sequence == 0 { row.sequence = sequence }
    withUnsafePointer(to: &row) { render($0) }
  }

  mutating func measureTerminal() {
    if isatty(file.descriptor) == 1 { table.resize(width: Terminal.width(of: file.descriptor)) }
  }

  mutating func closing(_ ending: RunEnding) -> ClosingText {
    let text = ClosingReport(
      transitions: received, shown: shown, lost: lost, leftOut: ending.leftOut,
      elapsed: firstTime.map { lastTime - $0 }
    ).text(statistics, sockets, glyphs: Glyphs.ofLocale)
    return ClosingText(text: text, hasLosses: true)
  }

  mutating func closing(_ ending: RunEnding, _ tracker: borrowing ConnectionTracker) -> ClosingText {
    let text = ClosingReport(
      transitions: ending.transitions, shown: shown, lost: ending.lost, undecodable: ending.undecodable,
      elapsed: ending.elapsed
    ).text(statistics, tracker, filter: filter, glyphs: Glyphs.ofLocale)
    return ClosingText(text: text, hasLosses: true)
  }
}
