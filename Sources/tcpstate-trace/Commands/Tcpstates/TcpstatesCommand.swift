import ArgumentParser
import TCPStateCore
import TCPStateKernel
import TCPStateReport

struct TcpstatesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tcpstates",
    abstract: "Print transitions as BCC's tcpstates does, with its options, table and CSV.",
    discussion: """
      States are the kernel's: a connection goes from FIN_WAIT2 to CLOSE, but the line comes when \
      FIN-WAIT-2 is really over, with its true duration; --time-wait shows what follows. C-PID and C-COMM \
      are the socket's owner. What isn't known is '-', in CSV an empty cell. -L and -D are also \
      --localport and --remoteport. A link named tcpstates to this program is this command.

      EXAMPLES:
        sudo tcpstates -stT | tee t.csv
        sudo tcpstates -L 80,443 -w
        tcpstates --read t.csv -s
      """)

  @OptionGroup(title: "As BCC's") var options: TcpstatesOptions
  @OptionGroup(title: "Which connections") var filters: FilterOptions
  @OptionGroup(title: "Recordings") var recording: RecordingOptions
  @OptionGroup(title: "Tracing") var tracing: TracingOptions

  mutating func run() throws {
    if options.journalSocket != nil, !options.journal {
      throw Failure(.usage, "--journal-socket goes with -Y; add it")
    }
    filters = options.adding(to: filters)
    let rows = try filters.rowFilter()
    let limits = try tracing.limits()
    if recording.isGiven { return try read(rows, limits) }

    let configuration = try tracing.configuration(filter: filters.kernelFilter(rows))
    try Rights.require()
    let loop = try EventLoop()
    let stream = try LiveStream(
      configuration, connectionLimit: tracing.connections.limit(),
      recorder: tracing.recordOptions.recorder(output: options.output))
    var printer = try TcpstatesPrinter(options: options, filter: rows, limit: limits.count)
    printer.begin()  // it goes out once all is attached
    var session = LiveSession(loop: loop, stream: stream, sink: printer, duration: limits.duration)
    try session.run(readExisting: !tracing.noExisting, opening: { _ in nil })
    if tracing.strict, !session.isComplete { throw ExitCode(ExitStatus.incomplete.rawValue) }
  }

  private func read(_ rows: RowFilter, _ limits: TracingOptions.Limits) throws {
    try recording.check(filters, tracing)
    let printer = try TcpstatesPrinter(options: options, filter: rows, limit: limits.count)
    let needs = RecordingSession<TcpstatesPrinter>.Needs(
      command: "tcpstates",
      columns: [
        [.socketAddress, .connectionID], [.localAddress], [.localPort], [.peerAddress], [.peerPort], [.stateOld],
        [.stateNew],
      ])
    var session = RecordingSession(recording, nullText: "", needs: needs, sink: printer)
    try session.run()
  }
}
