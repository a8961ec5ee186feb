import Glibc
import TCPStateCore
import TCPStateKernel
import TCPStateReport

/// `summary`: counts, shows it on a terminal as it goes, and prints it at the end.
struct SummaryPrinter: ~Copyable, TransitionSink {
  /// Nanoseconds between two pictures.
  private static let interval: UInt64 = 1_000_000_000

  private(set) var summary: StaySummary
  private let options: SummaryOptions
  private var file: OutputFile
  private let isTerminal: Bool
  /// Whether the terminal shows it as it goes.
  private let isLive: Bool
  private let isRecording: Bool
  /// CLOCK_MONOTONIC, as of the latest round.
  private var now = KernelClock.monotonic()
  private var lastDrawn: UInt64 = 0
  /// Lines of the picture that is on the screen.
  private var onScreen = 0
  /// Messages there were when it was drawn.
  private var toldBefore = 0
  private var received: UInt64 = 0
  private(set) var lost: UInt64 = 0
  private let limit: UInt64?

  init(
    _ options: SummaryOptions, keys: [SummaryKey], filter: RowFilter, limit: UInt64?, isRecording: Bool
  ) throws(Failure) {
    self.options = options
    self.limit = limit
    self.isRecording = isRecording
    summary = StaySummary(keys: keys, filter: filter)
    file = try OutputFile(path: options.output)
    isTerminal = isatty(file.descriptor) == 1
    isLive = isTerminal && options.format == .table && !isRecording
  }

  var wantsExisting: Bool { true }
  var writesWhileReading: Bool { false }
  var descriptor: Int32 { file.descriptor }
  var isDone: Bool { file.isClosed || limit.map { summary.transitions >= $0 } ?? false }
  var waiting: Int { file.waiting }

  mutating func receive(_ row: inout Transition, lossBefore: UInt64) {
    lost += lossBefore
    if isDone { return }
    if isRecording { summary.receive(row) } else { summary.receive(row, now: now) }
  }

  mutating func advance(to now: UInt64) {
    if !isRecording {
      self.now = KernelClock.monotonic()
      summary.endTimeWaits(now: self.now)
    }
    guard isLive, now &- lastDrawn >= Self.interval, file.pending.isEmpty else { return }
    lastDrawn = now
    draw()
  }

  /// Rewrites the picture in its place, as much of it as the terminal is high.
  private mutating func draw() {
    var picture = ByteBuffer()
    append(to: &picture)
    let height = Int(Terminal.height(of: file.descriptor) ?? 24)
    let lines = picture.text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
    let shown = lines.count < height ? Array(lines) : Array(lines.prefix(height - 2)) + ["…"[...]]
    // A line that is too long is cut by the terminal rather than wrapped, which would move all below it.
    file.pending.append("\u{1b}[?7l")
    putInPlace(shown)
    file.pending.append("\u{1b}[?7h")
    onScreen = shown.count
    toldBefore = Message.lines
  }

  /// Writes lines over the picture that is on the screen, unless something was told below it.
  ///
  /// Each is cleared by itself: what is cleared at once from the top is kept by tmux, for one to scroll back to.
  private mutating func putInPlace(_ lines: some Sequence<Substring>) {
    if onScreen > 0, toldBefore == Message.lines { file.pending.append("\u{1b}[\(onScreen)A\r") }
    onScreen = 0
    for line in lines { file.pending.append("\u{1b}[K\(line)\n") }
    file.pending.append("\u{1b}[J")
  }

  private func append(to buffer: inout ByteBuffer) {
    switch options.format {
    case .table:
      let style = TableStyle(
        width: isTerminal ? Terminal.width(of: file.descriptor) : nil,
        color: options.color.applies(to: file.descriptor), glyphs: isTerminal ? .ofLocale : .unicode)
      let table = SummaryTable(SummaryLines(summary, top: options.top), style: style)
      table.append(to: &buffer, header: !options.noHeader)
      if options.histogram { table.appendHistograms(to: &buffer) }
    case .csv:
      let style = CSVStyle(
        nullText: options.nullText ?? "", excelSafe: options.excelSafe, terminalSafe: isTerminal)
      SummaryCSV(style: style).append(SummaryLines(summary), header: !options.noHeader, to: &buffer)
    case .jsonl: SummaryJSON().append(SummaryLines(summary), to: &buffer)
    }
  }

  /// Takes the place of the rows that it hasn't received.
  mutating func adopt(_ other: consuming StaySummary, lost: UInt64) {
    summary = other
    self.lost = lost
  }

  mutating func finish() {
    var result = ByteBuffer()
    append(to: &result)
    guard onScreen > 0 else { return file.pending.append(result) }
    putInPlace(result.text.split(separator: "\n", omittingEmptySubsequences: false).dropLast())
  }

  mutating func flush() throws -> Bool { try file.flush() }

  func waitForReader() {
    var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    _ = Glibc.poll(&poll, 1, -1)
  }

  mutating func interrupted() {
    // ^C is overwritten with the picture.
    if onScreen == 0 { Message.endInterruptedLine() }
  }

  mutating func measureTerminal() {
    // The picture may have been wrapped: begin another below it.
    onScreen = 0
  }

  /// `9,120 transitions, 0 lost, 0 unmatched.`
  ///
  /// - Parameters:
  ///   - leftOut: lines that couldn't be read.
  ///   - elapsed: nanoseconds, where that is told.
  func closingText(unmatched: UInt64? = nil, leftOut: UInt64 = 0, elapsed: UInt64? = nil) -> String {
    let time = elapsed.map { " in \(DurationText.string($0))" } ?? ""
    var text = "\(NumberText.string(summary.transitions)) transitions\(time), \(NumberText.string(lost)) lost, "
    if leftOut > 0 { text += "\(NumberText.string(leftOut)) left out, " }
    text += "\(NumberText.string(unmatched ?? summary.sockets.unmatched)) unmatched."
    if summary.tally.isOverLimit {
      text +=
        " More than \(NumberText.string(UInt64(summary.tally.limit))) groups: those that came later are in others."
    }
    return text
  }
}
