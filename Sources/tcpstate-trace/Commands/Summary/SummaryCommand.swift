import ArgumentParser
import Glibc
import TCPStateCore
import TCPStateKernel
import TCPStateReport

struct SummaryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "summary",
    abstract: "How long connections stay in each state: count, p50, p90, p99, longest, total, open now.",
    discussion: """
      Live, it is refreshed in place on a terminal, and printed at the end. Quantiles are at most 0.4 % off.

      EXAMPLES, after `sudo tcpstate-trace`:
        summary --for 60s                      the whole machine, a minute long
        summary --by process --histogram       who keeps connections how long
        summary --in-kernel --for 60s          for 100,000 connections a second
        summary --read t.csv --by peer,state   from a recording
      """)

  @OptionGroup(title: "Which connections") var filters: FilterOptions
  @OptionGroup(title: "Summary") var options: SummaryOptions
  @OptionGroup(title: "Recordings") var recording: RecordingOptions
  @OptionGroup(title: "Tracing") var tracing: TracingOptions

  mutating func run() throws {
    let keys = try options.validated(reads: recording.isGiven)
    let rows = try filters.rowFilter()
    let limits = try tracing.limits()
    if options.inKernel { return try countInKernel(keys, rows, limits) }
    if recording.isGiven { return try read(keys, rows, limits) }

    let configuration = try tracing.configuration(filter: filters.kernelFilter(rows))
    try Rights.require()
    // Signals first: from here on none ends the program half-way.
    let loop = try EventLoop()
    let stream = try LiveStream(
      configuration, connectionLimit: tracing.connections.limit(),
      recorder: tracing.recordOptions.recorder(output: options.output))
    let printer = try SummaryPrinter(options, keys: keys, filter: rows, limit: limits.count, isRecording: false)
    var session = LiveSession(loop: loop, stream: stream, sink: printer, duration: limits.duration)
    let readExisting = !tracing.noExisting
    try session.run(readExisting: readExisting) { OpeningLine.text($0, readExisting: readExisting) }
    Message.line(
      session.sink.closingText(
        unmatched: session.stream.tracker.unmatched,
        elapsed: KernelClock.monotonic() - session.stream.attachedAt))
    if tracing.strict, !session.isComplete { throw ExitCode(ExitStatus.incomplete.rawValue) }
  }

  private func countInKernel(_ keys: [SummaryKey], _ rows: RowFilter, _ limits: TracingOptions.Limits) throws {
    try checkInKernel(keys, rows, limits)
    var configuration = try tracing.configuration(filter: filters.kernelFilter(rows))
    configuration.aggregates = true
    try Rights.require()
    let loop = try EventLoop()
    let source = try KernelSource(configuration)
    let printer = try SummaryPrinter(options, keys: [], filter: RowFilter(), limit: nil, isRecording: false)
    var session = AggregateSession(loop: loop, source: source, printer: printer, duration: limits.duration)
    try session.run()
    if tracing.strict, !session.isComplete { throw ExitCode(ExitStatus.incomplete.rawValue) }
  }

  /// The kernel side knows nothing of owners and keeps no groups.
  private func checkInKernel(_ keys: [SummaryKey], _ rows: RowFilter, _ limits: TracingOptions.Limits) throws {
    let refused: [(Bool, String)] = [
      (recording.isGiven, "--read"), (!keys.isEmpty, "--by"), (!rows.pids.isEmpty, "--pid"),
      (!rows.processes.isEmpty, "--process"), (!rows.states.isEmpty, "--state"),
      (rows.longerThan != nil, "--longer-than"), (limits.count != nil, "--count"),
      (tracing.recordOptions.record != nil, "--record"), (tracing.attach == .classic, "--attach classic"),
      (tracing.connections.maxConnections != nil, "--max-connections"), (tracing.noExisting, "--no-existing"),
      (tracing.buffer != nil, "--buffer"),
    ]
    for (isGiven, option) in refused where isGiven {
      throw Failure(.usage, "--in-kernel counts per state only, it can't go with \(option)")
    }
  }

  private func read(_ keys: [SummaryKey], _ rows: RowFilter, _ limits: TracingOptions.Limits) throws {
    try recording.check(filters, tracing)
    let needs = RecordingNeeds(
      command: "summary",
      columns: [[.connectionID], [.stateOld], [.stateNew], [.stateDuration]] + keys.map { [$0.column] })
    var printer = try SummaryPrinter(options, keys: keys, filter: rows, limit: limits.count, isRecording: true)
    if limits.count == nil, let notes = readInParallel(keys, rows, needs, &printer) {
      printer.finish()
      while try printer.flush() { printer.waitForReader() }
      for note in notes { Message.error(note) }
      return try end(printer)
    }
    var session = RecordingSession(
      recording, nullText: options.nullText ?? "", needs: needs, wanted: wanted(keys, rows), sink: printer)
    try session.run()
    try end(session.sink, leftOut: session.leftOut)
  }

  private func end(_ printer: borrowing SummaryPrinter, leftOut: UInt64 = 0) throws {
    Message.line(printer.closingText(leftOut: leftOut))
    if tracing.strict, printer.lost + leftOut > 0 { throw ExitCode(ExitStatus.incomplete.rawValue) }
  }

  /// Reads one big file by all CPUs.
  ///
  /// - Returns: what isn't as it should be; `nil` where the general reader has to do it all.
  private func readInParallel(
    _ keys: [SummaryKey], _ rows: RowFilter, _ needs: RecordingNeeds, _ printer: inout SummaryPrinter
  ) -> [String]? {
    guard recording.paths.count == 1 else { return nil }
    let task = ParallelSummary.Task(
      path: recording.paths[0], keys: keys, filter: rows, nullText: options.nullText ?? "",
      wanted: wanted(keys, rows))
    signal(SIGPIPE, SIG_IGN)
    var progress = ReadingProgress(isShown: isatty(2) == 1)
    let result = ParallelSummary(task, needs: needs)?.run(&progress)
    progress.clear()
    guard let result else { return nil }
    let notes = result.notes
    let lost = result.lost
    printer.adopt(result.summary, lost: lost)
    return notes
  }

  /// The columns that the fold looks at.
  private func wanted(_ keys: [SummaryKey], _ rows: RowFilter) -> Set<Column> {
    var columns: Set<Column> = [
      .sequence, .connectionID, .stateOld, .stateNew, .stateDuration, .durationKind, .source,
    ]
    if recording.paths.count > 1 { columns.formUnion([.timestamp, .timestampUnixNano]) }
    columns.formUnion(keys.map(\.column))
    columns.formUnion(rows.columns)
    return columns
  }
}

extension RowFilter {
  /// The columns that it looks at, states and stays left out.
  var columns: Set<Column> {
    var columns: Set<Column> = []
    if family != nil || !localNetworks.isEmpty || !peerNetworks.isEmpty {
      columns.formUnion([.localAddress, .peerAddress])
    }
    if localPorts != nil { columns.insert(.localPort) }
    if peerPorts != nil { columns.insert(.peerPort) }
    if !pids.isEmpty { columns.formUnion([.processPID, .actorPID]) }
    if !processes.isEmpty { columns.formUnion([.processName, .actorName]) }
    if netns != nil { columns.insert(.netns) }
    return columns
  }
}
