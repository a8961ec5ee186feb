// SPDX-License-Identifier: Apache-2.0
import Glibc
import TCPStateCore
import TCPStateReport

/// Where a summary is shown: refreshed in place on a terminal, written at the end elsewhere.
struct SummaryView: ~Copyable {
  private let options: SummaryOptions
  private var file: OutputFile
  private let isTerminal: Bool
  /// Whether the terminal shows it as it goes.
  let isLive: Bool
  /// Lines of the picture that is on the screen.
  private var onScreen = 0
  /// Messages there were when it was drawn.
  private var messagesBefore = 0

  init(_ options: SummaryOptions, isRecording: Bool) throws(Failure) {
    self.options = options
    file = try options.destination.open()
    isTerminal = isatty(file.descriptor) == 1
    isLive = isTerminal && options.format == .table && !isRecording
  }

  var descriptor: Int32 { file.descriptor }
  /// Whether the reader is gone.
  var isClosed: Bool { file.isClosed }
  var waiting: Int { file.waiting }
  var isIdle: Bool { file.pending.isEmpty }

  /// Rewrites the picture in its place, as much of it as the terminal is high.
  mutating func draw(_ summary: borrowing StaySummary) {
    var picture = ByteBuffer()
    append(summary, to: &picture)
    let height = Int(Terminal.height(of: file.descriptor) ?? 24)
    let lines = picture.text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
    let shown = lines.count < height ? Array(lines) : Array(lines.prefix(height - 2)) + ["…"[...]]
    // A line that is too long is cut by the terminal rather than wrapped, which would move everything below it.
    file.pending.append("\u{1b}[?7l")
    putInPlace(shown)
    file.pending.append("\u{1b}[?7h")
    onScreen = shown.count
    messagesBefore = Message.lines
  }

  /// Writes lines over the picture that is on the screen, unless a message has come below it.
  ///
  /// Each is cleared by itself: tmux keeps what is cleared at once from the top, to be scrolled back to.
  private mutating func putInPlace(_ lines: some Sequence<Substring>) {
    if onScreen > 0, messagesBefore == Message.lines { file.pending.append("\u{1b}[\(onScreen)A\r") }
    onScreen = 0
    for line in lines { file.pending.append("\u{1b}[K\(line)\n") }
    file.pending.append("\u{1b}[J")
  }

  private func append(_ summary: borrowing StaySummary, to buffer: inout ByteBuffer) {
    switch options.format {
    case .table:
      let style = TableStyle(
        width: isTerminal ? Terminal.width(of: file.descriptor) : nil,
        color: options.color.applies(to: file.descriptor), glyphs: isTerminal ? .ofLocale : .unicode)
      append(summary, style, to: &buffer)
    case .csv:
      let style = CSVStyle(
        nullText: options.nullText ?? "", excelSafe: options.csv.excelSafe, terminalSafe: isTerminal)
      let header = !options.noHeader && !file.continues
      if options.ends { return SummaryCSV(style: style).appendEnds(SummaryLines(summary), header: header, to: &buffer) }
      SummaryCSV(style: style).append(SummaryLines(summary), header: header, to: &buffer)
    case .jsonl:
      if options.ends { return SummaryJSON().appendEnds(SummaryLines(summary), to: &buffer) }
      SummaryJSON().append(SummaryLines(summary), to: &buffer)
    }
  }

  private func append(_ summary: borrowing StaySummary, _ style: TableStyle, to buffer: inout ByteBuffer) {
    if options.diagram { return StateDiagram(summary, style: style).append(to: &buffer) }
    let lines = SummaryLines(summary, top: options.top)
    if !options.ends {
      let table = SummaryTable(lines, style: style)
      table.append(to: &buffer, header: !options.noHeader)
      if options.histogram { table.appendHistograms(to: &buffer, isWhole: summary.filter.states.count == 1) }
      if !lines.ends.isEmpty { buffer.append("\n") }
    }
    EndsTable(lines, style: style).append(to: &buffer, header: !options.noHeader)
  }

  /// Writes the final result.
  mutating func finish(_ summary: borrowing StaySummary) {
    var result = ByteBuffer()
    append(summary, to: &result)
    file.complete()
    guard onScreen > 0 else { return file.pending.append(result) }
    putInPlace(result.text.split(separator: "\n", omittingEmptySubsequences: false).dropLast())
  }

  mutating func flush() throws -> Bool { try file.flush() }

  /// All of it, waiting for the reader.
  mutating func writeOut() throws { try file.writeOut() }

  mutating func interrupted() {
    // ^C is overwritten with the picture.
    if onScreen == 0 { Message.endInterruptedLine() }
  }

  mutating func resized() {
    // The picture may have been wrapped: begin another below it.
    onScreen = 0
  }
}
