import ArgumentParser
import Glibc
import TCPStateCore
import TCPStateKernel
import TCPStateReport

struct Stuck: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Find sockets that stay in a state: since when, who holds them, and what to do.",
    discussion: """
      Looks once at every socket of every network namespace, also those from long before, and exits \
      with 1 if some have been in CLOSE-WAIT (or the --state given) for over 60 s. Ages with ≥ are \
      lower bounds. Nothing is attached, and nothing is slowed down, unless --watch keeps tracing.

      EXAMPLES, after `sudo tcpstate-trace`:
        stuck                                   who leaks CLOSE-WAIT
        stuck --state fin-wait-2,last-ack       closing, and not done
        stuck --state syn-sent --older-than 5s  connecting in vain
        stuck --state time-wait                 ephemeral ports in use
        stuck --older-than 1h --format jsonl    for a script
        stuck --read t.csv --at 21:12:03        in a recording
        stuck --watch --exec 'logger "$TCPSTATE_PROCESS_NAME leaks"'
      """)

  @OptionGroup(title: "Which sockets") var filters: FilterOptions
  @OptionGroup(title: "Stuck") var options: StuckOptions
  @OptionGroup(title: "Output") var output: OutputOptions
  @OptionGroup(title: "Recordings") var recording: RecordingOptions
  @OptionGroup(title: "Recordings") var recordOptions: RecordOptions
  @OptionGroup(title: "Watching") var connections: ConnectionLimitOptions

  mutating func run() throws {
    try output.validate(reads: recording.isGiven)
    let query = try options.query(filters)
    let fields = try output.validatedColumns(StuckField.self)
    try recordOptions.refuse(with: recording)
    if recordOptions.record != nil, !options.watch {
      throw Failure(.usage, "--record goes with --watch; without it stuck looks once, and records nothing")
    }
    let limit = try connections.limit()
    if connections.maxConnections != nil, !options.watch {
      throw Failure(.usage, "--max-connections goes with --watch; without it nothing is tracked")
    }
    if recording.isGiven { return try readRecording(query, fields) }
    if options.at != nil { throw Failure(.usage, "--at goes with --read; the kernel tells of now alone") }
    try Rights.require()
    if options.watch { return try watch(query, fields, limit) }
    var reader = try StuckReader(query: query, cgroup: filters.cgroup, verbose: options.verbose)
    // The file first: the reading gives up what opening it may need.
    var printer = try StuckPrinter(output, fields)
    let reading = try reader.read()
    try printer.print(reading, at: reader.time, isLive: true)
    try conclude(query, reading)
  }

  private func conclude(_ query: StuckQuery, _ reading: StuckReading) throws {
    guard reading.sockets.isEmpty else { throw ExitCode(ExitStatus.found.rawValue) }
    if output.format == .table { Message.line(Self.nothing(query, reading)) }
  }

  private func readRecording(_ query: StuckQuery, _ fields: [StuckField]) throws {
    if options.watch { throw Failure(.usage, "--watch traces the live kernel; leave it or --read out") }
    try filters.refuseCgroup()
    let moment = try ReplayMoment(options.at, utc: output.utc)
    var session = RecordingSession(
      recording, nullText: output.nullText ?? "", needs: .sockets(for: "stuck"), sink: RecordedStuck(moment))
    try session.run()
    let time = try session.sink.span.moment(moment, of: session.name)
    if output.format == .table { Message.line(session.sink.span.description(of: session.name, at: time, output.utc)) }
    let reading = session.sink.sockets.reading(query, now: time)
    var printer = try StuckPrinter(output, fields)
    try printer.print(reading, at: time, isLive: false)
    try conclude(query, reading)
  }

  private func watch(_ query: StuckQuery, _ fields: [StuckField], _ limit: Int) throws {
    var configuration = KernelSource.Configuration()
    configuration.verbose = options.verbose
    configuration.filter = try StuckReader.kernelFilter(query, cgroup: filters.cgroup)
    let duration = try options.duration.map { try FilterOptions.duration($0, option: "--for") }
    // Signals first: from here on none ends the program half-way.
    let loop = try EventLoop()
    let stream = try LiveStream(
      configuration, connectionLimit: limit, recorder: recordOptions.recorder(output: output.output))
    let printer = try StuckPrinter(output, fields)
    let runner: CommandRunner? = if let exec = options.exec { CommandRunner(exec) } else { nil }
    var session = StuckWatchSession(
      loop: loop, stream: stream, printer: printer, watch: StuckWatch(query, limit: limit), runner: runner,
      duration: duration)
    try session.run()
    guard session.crossed == 0 else { throw ExitCode(ExitStatus.found.rawValue) }
  }

  /// `FIN-WAIT-1, FIN-WAIT-2 or LAST-ACK`
  static func names(_ query: StuckQuery) -> String {
    let names = TCPState.all.filter { query.states.contains($0) }.map { $0.name(.rfc) }
    guard names.count > 1, let last = names.last else { return names.joined() }
    return names.dropLast().joined(separator: ", ") + " or " + last
  }

  /// That nothing was found is an answer too, and what was near it.
  private static func nothing(_ query: StuckQuery, _ reading: StuckReading) -> String {
    let names = names(query)
    var line = "No socket is in \(names)"
    if query.olderThan > 0 { line = "No socket has been in \(names) for \(DurationText.string(query.olderThan))" }
    var others: [String] = []
    if reading.younger > 0 { others.append("\(NumberText.string(UInt64(reading.younger))) for less") }
    if reading.ofUnknownAge > 0 {
      let count = NumberText.string(UInt64(reading.ofUnknownAge))
      others.append("\(count) for a time that the kernel doesn't tell; --older-than 0s shows all")
    }
    return line + (others.isEmpty ? "." : " (\(others.joined(separator: ", "))).")
  }
}
