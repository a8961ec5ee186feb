import ArgumentParser
import TCPStateCore
import TCPStateKernel
import TCPStateReport

struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Make a page of connections to look at, or a trace for Perfetto: one file, without network access.",
    discussion: """
      From a recording by --read, or live: the report is whole when that ends, by --for or Ctrl-C.

      EXAMPLES:
        tcpstate-trace report --read t.csv --output t.html
        sudo tcpstate-trace report --for 1m --output t.html
        tcpstate-trace report --read t.csv --format perfetto --output t.json
      """)

  @OptionGroup(title: "Which connections") var filters: FilterOptions
  @OptionGroup(title: "Report") var options: ReportOptions
  @OptionGroup(title: "Recordings") var recording: RecordingOptions
  @OptionGroup(title: "Tracing") var tracing: TracingOptions

  mutating func run() throws {
    try options.checkOutput()
    let selection = LifecycleSelection(try filters.rowFilter(), connection: nil)
    switch options.format {
    case .html: try run(HTMLReport { selection.wants($0) }, selection)
    case .perfetto: try run(PerfettoReport(filter: selection.filter), selection)
    }
  }

  private func run(_ document: consuming some ReportDocument & ~Copyable, _ selection: LifecycleSelection) throws {
    let limits = try tracing.limits()
    if recording.isGiven {
      try recording.check(filters, tracing)
      let printer = try ReportPrinter(document, selection: selection, limit: limits.count, output: options.output)
      return try read(printer)
    }
    // The twin of a wanted end is another filter's: only what both share is left to the kernel.
    var shared = RowFilter()
    shared.family = selection.filter.family
    let configuration = try tracing.configuration(filter: filters.kernelFilter(shared))
    try Rights.require()
    let loop = try EventLoop()
    let stream = try LiveStream(
      configuration, connectionLimit: tracing.connections.limit(),
      recorder: tracing.recordOptions.recorder(output: options.output))
    let printer = try ReportPrinter(document, selection: selection, limit: limits.count, output: options.output)
    try trace(LiveSession(loop: loop, stream: stream, sink: printer, duration: limits.duration))
  }

  private func trace(_ session: consuming LiveSession<ReportPrinter<some ReportDocument & ~Copyable>>) throws {
    let ending = tracing.duration == nil ? " Ctrl-C ends, and completes it." : ""
    try session.run(
      readExisting: !tracing.noExisting,
      opening: { _ in "Collecting TCP connections for the report.\(ending)" })
    tell(session.sink.document.count)
    if tracing.strict, !session.isComplete { throw ExitCode(ExitStatus.incomplete.rawValue) }
  }

  private func read<Document: ReportDocument & ~Copyable>(_ printer: consuming ReportPrinter<Document>) throws {
    let needs = RecordingSession<ReportPrinter<Document>>.Needs(
      command: "report",
      columns: [
        [.timestampUnixNano, .timestamp], [.connectionID], [.stateOld], [.stateNew], [.localAddress], [.localPort],
        [.peerAddress], [.peerPort],
      ])
    var session = RecordingSession(recording, nullText: options.nullText ?? "", needs: needs, sink: printer)
    try session.run()
    tell(session.sink.document.count)
    if tracing.strict, !session.isComplete { throw ExitCode(ExitStatus.incomplete.rawValue) }
  }

  private func tell(_ count: UInt64) {
    let place = options.output.flatMap { $0 == "-" ? nil : " in \(Message.printable($0))" } ?? ""
    Message.line("\(NumberText.string(count)) connection\(count == 1 ? "" : "s")\(place).")
  }
}
