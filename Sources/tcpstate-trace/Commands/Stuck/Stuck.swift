// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import TCPStateCore
import TCPStateKernel
import TCPStateLive
import TCPStateReport

struct Stuck: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Find sockets that stay in a state too long: since when, which process holds them, and what to do.",
    discussion: """
      Looks once at every socket of every network namespace, however old, and exits with status 1 if some \
      have, or may have, been in CLOSE-WAIT (or the given --state) for over 60 s. Ages marked ≥ are lower bounds. \
      Nothing is attached and nothing is slowed down, unless --watch keeps tracing.

      EXAMPLES, after `sudo tcpstate-trace`:
        stuck                                   leaked sockets in CLOSE-WAIT
        stuck --state fin-wait-2,last-ack       connections that don't finish closing
        stuck --state syn-sent --older-than 5s  connects that get no answer
        stuck --state time-wait                 ephemeral ports in use
        stuck --by peer --limit 5               from where they are
        stuck --older-than 1h --format jsonl    output for a script
        stuck --read t.csv --at 21:12:03        a moment of a recording
        stuck --watch --exec 'logger "$TCPSTATE_PROCESS_NAME leaks"'
      """)

  @OptionGroup(title: "Stuck") var options: StuckOptions
  @OptionGroup(title: "Stuck") var strictness: StrictOption
  @OptionGroup(title: "Output") var output: OutputOptions
  @OptionGroup(title: "Which sockets") var filters: FilterOptions
  @OptionGroup(title: "Recordings") var recording: RecordingOptions
  @OptionGroup(title: "Recordings") var recordOptions: RecordOptions
  @OptionGroup(title: "Watching") var connections: ConnectionLimitOptions

  mutating func run() throws {
    try recording.add(filters)
    try output.validate(reads: recording.isGiven)
    let query = try options.query(filters)
    let fields = try output.validatedColumns(StuckField.self)
    let view = try options.view(output.format, isLive: !recording.isGiven)
    try recordOptions.refuse(with: recording)
    if recordOptions.record != nil, !options.watch {
      throw Failure(.usage, "--record goes with --watch; without it stuck looks once, and records nothing")
    }
    try output.destination.check(record: recordOptions.record)
    let limit = try connections.limit()
    if connections.maxConnections != nil, !options.watch {
      throw Failure(.usage, "--max-connections goes with --watch; without it nothing is tracked")
    }
    if recording.isGiven { return try readRecording(query, fields, view) }
    if options.at != nil { throw Failure(.usage, "--at goes with --read; the live kernel knows the present only") }
    try Rights.require()
    AbsentProcesses.report(query.filter, waits: options.watch)
    AbsentWorkloads.report(query.filter.workloads, waits: options.watch)
    if options.watch { return try watch(query, fields, view, limit) }
    var reader = try StuckReader(query: query, filters: filters, verbose: options.verbose)
    // The file first: the reading gives up what opening it may need.
    var printer = try StuckPrinter(output, fields, view, states: query.states)
    var reading = try reader.read()
    var processes = ProcessReader()
    processes.describe(&reading.sockets)
    processes.describe(&reading.uncertain)
    try printer.print(reading, at: reader.time, isLive: true)
    try conclude(query, reading, reader.ending)
  }

  private func conclude(_ query: StuckQuery, _ reading: StuckReading, _ ending: RunEnding) throws {
    if reading.listed.isEmpty, reading.unlisted == 0 {
      if output.format == .table { Message.line(Self.nothing(query, reading, ending)) }
    } else if reading.uncertainCount > 0 {
      // In every format: an empty list alone would look like a good answer.
      for line in StuckNote(query, reading).lines { Message.line(line) }
    }
    // What was found is an answer, however much was missed.
    if reading.findsTrouble(query) { throw ExitCode(ExitStatus.found.rawValue) }
    // For a recording the first line has them.
    let hasLosses = output.format == .table && ending.isRecorded
    try CommandRun.conclude(ending, ClosingText(hasLosses: hasLosses), strict: strictness.strict)
  }

  private func readRecording(_ query: StuckQuery, _ fields: [StuckField], _ view: StuckView) throws {
    if options.watch { throw Failure(.usage, "--watch traces the live kernel; leave it or --read out") }
    try filters.refuseCgroup()
    let moment = try ReplayMoment(options.at, utc: output.utc)
    let inputs = recording.inputs(.sockets(for: "stuck"), nullText: output.nullText)
    var sink = RecordedStuck(moment)
    // The inputs first, so that they can be refused before the output is touched.
    var session = try RecordingSession(inputs, showsProgress: true)
    var printer = try StuckPrinter(output, fields, view, states: query.states)
    let ending = try CommandRun.collect(&session, into: &sink)
    let time = try sink.span.moment(moment, of: inputs.name)
    if output.format == .table { Message.line(sink.span.description(of: inputs.name, at: time, output.utc)) }
    let reading = sink.sockets.reading(query, now: time)
    try printer.print(reading, at: time, isLive: false)
    try conclude(query, reading, ending)
  }

  private func watch(_ query: StuckQuery, _ fields: [StuckField], _ view: StuckView, _ limit: Int) throws {
    var configuration = LiveConfiguration()
    configuration.connectionLimit = limit
    configuration.kernel.verbose = options.verbose
    configuration.namesWorkloads = recordOptions.record != nil
    configuration.kernel.filter = try StuckReader.kernelFilter(query, filters)
    let duration = try options.duration.map { try FilterOptions.duration($0, option: "--for") }
    // Signals first: from here on none ends the program half-way.
    let loop = try EventLoop()
    let stream = try LiveStream(configuration)
    let recorder = try recordOptions.recorder(appends: output.destination.append)
    let printer = try StuckPrinter(output, fields, view, states: query.states)
    let runner: CommandRunner? =
      if let exec = options.exec { CommandRunner(exec, by: options.execBy ?? .socket) } else { nil }
    var session = StuckWatchSession(
      stream, recorder: recorder, printer: printer, watch: StuckWatch(query, limit: limit), runner: runner)
    try session.start(loop)
    try loop.run(&session, until: duration.map { session.attachedAt.saturatingAdding($0) })
    let (ending, closing) = try session.finish(loop)
    guard !session.hasFound else {
      Message.closing(closing.text)
      throw ExitCode(ExitStatus.found.rawValue)
    }
    try CommandRun.conclude(ending, closing, strict: strictness.strict)
  }

  /// `FIN-WAIT-1, FIN-WAIT-2 or LAST-ACK`
  static func names(_ query: StuckQuery) -> String { StuckNote.names(query.states) }

  /// That nothing was found is an answer too, and what was near it.
  private static func nothing(_ query: StuckQuery, _ reading: StuckReading, _ ending: RunEnding) -> String {
    let names = names(query)
    let subject = ending.isConfined || ending.unreached > 0 ? "No socket that can be seen from here" : "No socket"
    var line = "\(subject) is in \(names)"
    if query.olderThan > 0 { line = "\(subject) has been in \(names) for \(DurationText.string(query.olderThan))" }
    return line + (reading.younger == 0 ? "." : " (\(NumberText.string(UInt64(reading.younger))) for less).")
  }
}
