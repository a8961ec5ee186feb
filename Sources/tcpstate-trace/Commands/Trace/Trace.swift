import ArgumentParser
import Glibc
import TCPStateCore
import TCPStateKernel
import TCPStateReport

struct Trace: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show every state transition as it happens (the default).",
    discussion: """
      A line a transition: when, which end, the process that holds the socket, both addresses, the \
      states, and how long it was in the old one. Ctrl-C ends it with a summary per state.
      """)

  @OptionGroup(title: "Which connections") var filters: FilterOptions
  @OptionGroup(title: "Output") var output: OutputOptions
  @OptionGroup(title: "Recordings") var recording: RecordingOptions
  @OptionGroup(title: "Tracing") var tracing: TracingOptions

  mutating func run() throws {
    try output.validate(reads: recording.isGiven)
    let columns = try output.validatedColumns()
    let rows = try filters.rowFilter()
    if recording.isGiven { return try read(columns, rows) }
    let configuration = try tracing.configuration(filter: filters.kernelFilter(rows))
    let limits = try tracing.limits()
    try Rights.require()

    // Signals first: from here on none ends the program half-way.
    let loop = try EventLoop()
    let stream = try LiveStream(
      configuration, connectionLimit: tracing.connections.limit(),
      recorder: tracing.recordOptions.recorder(output: output.output))
    var printer = try TracePrinter(output: output, columns: columns, filter: rows, limit: limits.count)
    printer.begin()
    var session = LiveSession(loop: loop, stream: stream, sink: printer, duration: limits.duration)
    let readExisting = !tracing.noExisting
    try session.run(readExisting: readExisting) { OpeningLine.text($0, readExisting: readExisting) }
    Message.write(session.sink.closingText(session.stream))
    if tracing.strict, !session.isComplete { throw ExitCode(ExitStatus.incomplete.rawValue) }
  }

  private func read(_ columns: [Column], _ rows: RowFilter) throws {
    try recording.check(filters, tracing)
    let isWhole = recording.paths.count == 1 && !filters.isGiven
    var printer = try TracePrinter(
      output: output, columns: columns, filter: rows, limit: tracing.limits().count, kind: isWhole ? .whole : .selected)
    printer.begin()
    let needs = RecordingNeeds(command: "trace", columns: [[.stateOld], [.stateNew]])
    var session = RecordingSession(recording, nullText: output.nullText ?? "", needs: needs, sink: printer)
    try session.run()
    Message.write(session.sink.closingText(leftOut: session.leftOut))
    if tracing.strict, !session.isComplete { throw ExitCode(ExitStatus.incomplete.rawValue) }
  }
}
