import ArgumentParser
import Glibc
import TCPStateCore
import TCPStateKernel
import TCPStateReport

struct LifecycleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lifecycle",
    abstract: "Draw connections as the textbook does: both ends, each step, sequence numbers.",
    discussion: """
      Each connection is drawn when both ends are closed or in TIME-WAIT, which lasts a minute and is \
      shown as still to end, unless --time-wait waits for that; Ctrl-C draws those that are open. The end \
      that has no socket on this host is implied, in parentheses. A recording gives the same as live.
      """)

  @OptionGroup(title: "Which connections") var filters: FilterOptions
  @OptionGroup(title: "Lifecycle") var options: LifecycleOptions
  @OptionGroup(title: "Recordings") var recording: RecordingOptions
  @OptionGroup(title: "Tracing") var tracing: TracingOptions

  mutating func run() throws {
    let rows = try filters.rowFilter()
    let selection = LifecycleSelection(rows, connection: try options.connectionID())
    let limits = try tracing.limits()
    if recording.isGiven { return try read(selection, limits) }

    // The twin of a wanted end is another filter's: only what both share is left to the kernel.
    var shared = RowFilter()
    shared.family = rows.family
    let configuration = try tracing.configuration(filter: filters.kernelFilter(shared))
    try Rights.require()
    let loop = try EventLoop()
    let stream = try LiveStream(
      configuration, connectionLimit: tracing.connections.limit(),
      recorder: tracing.recordOptions.recorder(output: options.output))
    let printer = try LifecyclePrinter(
      options: options, selection: selection, limit: limits.count)
    let options = options
    var session = LiveSession(loop: loop, stream: stream, sink: printer, duration: limits.duration)
    try session.run(
      readExisting: !tracing.noExisting,
      opening: { _ in
        options.follow
          ? "Following TCP connections step by step. Ctrl-C ends."
          : "Drawing each TCP connection as it ends. Ctrl-C ends, and draws those still open."
      })
    let count = session.sink.count
    Message.line("\(NumberText.string(count)) connection\(count == 1 ? "" : "s") drawn.")
    if tracing.strict, !session.isComplete { throw ExitCode(ExitStatus.incomplete.rawValue) }
  }

  private func read(_ selection: LifecycleSelection, _ limits: TracingOptions.Limits) throws {
    try recording.check(filters, tracing)
    let printer = try LifecyclePrinter(
      options: options, selection: selection, limit: limits.count)
    let needs = RecordingSession<LifecyclePrinter>.Needs(
      command: "lifecycle",
      columns: [
        [.timestampUnixNano, .timestamp], [.connectionID], [.role], [.localAddress], [.localPort], [.peerAddress],
        [.peerPort], [.stateOld], [.stateNew], [.initialSendSequence], [.initialReceiveSequence],
      ])
    var session = RecordingSession(recording, nullText: options.nullText ?? "", needs: needs, sink: printer)
    try session.run()
    if session.sink.count == 0, let id = options.connection {
      Message.error(
        "\(session.name) has no connection \(Message.printable(id)) that the filters let through")
    }
  }
}
