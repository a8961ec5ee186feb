// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import TCPStateCore
import TCPStateKernel
import TCPStateReport

struct SummaryCommand: FoldingCommand {
  static let configuration = CommandConfiguration(
    commandName: "summary",
    abstract: "Show how long connections stay in each state: count, p50, p90, p99, longest, total, open now.",
    discussion: """
      On a terminal the live summary is refreshed in place. Quantiles are within 0.4 % of the truth.

      EXAMPLES, after `sudo tcpstate-trace`:
        summary --for 60s                      the whole machine, for a minute
        summary --by process --histogram       how long each process keeps connections
        summary --by port --ends               why the connections of each service ended
        summary --diagram                      the state machine, with counts and times
        summary --in-kernel --for 60s          for 100,000 connections per second
        summary --read t.csv --by peer,state   from a recording
      """)

  @OptionGroup(title: "Summary") var options: SummaryOptions
  @OptionGroup(title: "Which connections") var filters: FilterOptions
  @OptionGroup(title: "Recordings") var recording: RecordingOptions
  @OptionGroup(title: "Tracing") var tracing: TracingOptions

  mutating func run() throws {
    try recording.add(filters)
    let keys = try options.validated(reads: recording.isGiven)
    let rows = try filters.rowFilter()
    let limits = try tracing.limits()
    if options.inKernel { return try countInKernel(keys, rows, limits) }
    let needs = RecordingNeeds(
      command: "summary",
      columns: [[.connectionID], [.stateOld], [.stateNew], [.stateDuration]] + keys.flatMap(\.needs))
    let inputs = recording.inputs(needs, nullText: options.nullText, wanted: wanted(keys, rows))
    let run = try commandRun(
      kernel: rows, destination: options.destination, inputs: inputs,
      names: keys.contains { $0.columns.contains { $0.isOfWorkload } })
    if run.isRecorded { return try readRecording(keys, rows, inputs, run, limit: limits.count) }
    let options = options
    let readsExisting = !tracing.noExisting
    try run.run {
      let view = try SummaryView(options, isRecording: false)
      return SummaryPrinter(
        view, StaySummary(keys: keys, filter: rows, countsMoves: options.diagram), limit: limits.count,
        isRecording: false)
    } opening: {
      OpeningLine.text($0, readExisting: readsExisting)
    }
  }

  private func readRecording(
    _ keys: [SummaryKey], _ rows: RowFilter, _ inputs: RecordingInputs, _ run: CommandRun, limit: UInt64?
  ) throws {
    var session = try RecordingSession(inputs, showsProgress: true)
    var view = try SummaryView(options, isRecording: true)
    try session.confine()
    if limit == nil, let file = session.plainFile {
      let task = ParallelSummary.Task(
        path: inputs.paths[0], keys: keys, filter: rows, nullText: inputs.nullText, wanted: inputs.wanted ?? [],
        countsMoves: options.diagram)
      if let parallel = ParallelSummary(task, needs: inputs.needs, descriptor: file),
        try readInParallel(parallel, inputs, &view)
      {
        return
      }
    }
    var printer = SummaryPrinter(
      view, StaySummary(keys: keys, filter: rows, countsMoves: options.diagram), limit: limit, isRecording: true)
    try run.read(&session, &printer)
  }

  private func countInKernel(_ keys: [SummaryKey], _ rows: RowFilter, _ limits: TracingOptions.Limits) throws {
    try checkInKernel(keys, rows, limits)
    try options.destination.check()
    var configuration = try tracing.configuration(filter: filters.kernelFilter(rows))
    configuration.aggregates = true
    try Rights.require()
    let loop = try EventLoop()
    let source = try KernelSource(configuration)
    var session = AggregateSession(source, view: try SummaryView(options, isRecording: false))
    try session.start()
    try loop.run(&session, until: limits.duration.map { session.attachedAt.saturatingAdding($0) })
    let (ending, closing) = try session.finish(loop)
    try CommandRun.conclude(ending, closing, strict: tracing.strict)
  }

  /// The kernel side knows nothing of owners and reasons, and keeps no groups.
  private func checkInKernel(_ keys: [SummaryKey], _ rows: RowFilter, _ limits: TracingOptions.Limits) throws {
    let refused: [(Bool, String)] = [
      (recording.isGiven, "--read"), (!keys.isEmpty, "--by"), (options.ends, "--ends"), (!rows.pids.isEmpty, "--pid"),
      (!rows.processes.isEmpty, "--process"),
      (!rows.workloads.isEmpty, "--container, --pod or --unit"), (!rows.states.isEmpty, "--state"),
      (!rows.eitherNetworks.isEmpty, "an address of either end (--local and --peer work)"),
      (rows.eitherPorts != nil && rows.localPorts != nil, "both --port and --local-port"),
      (rows.longerThan != nil, "--longer-than"), (limits.count != nil, "--count"),
      (tracing.recordOptions.record != nil, "--record"), (tracing.attach == .classic, "--attach classic"),
      (tracing.connections.maxConnections != nil, "--max-connections"), (tracing.noExisting, "--no-existing"),
      (tracing.buffer != nil, "--buffer"),
    ]
    for (isGiven, option) in refused where isGiven {
      throw Failure(.usage, "--in-kernel counts per state only, it can't go with \(option)")
    }
  }

  /// Reads one big file with all CPUs.
  ///
  /// - Returns: false where the general reader has to do it all; nothing is written then.
  private func readInParallel(
    _ parallel: ParallelSummary, _ inputs: RecordingInputs, _ view: inout SummaryView
  ) throws -> Bool {
    var progress = ReadingProgress(isShown: isatty(2) == 1)
    let result = parallel.run(&progress)
    progress.clear()
    guard let result else { return false }
    view.finish(result.summary)
    try view.writeOut()
    for note in result.notes { Message.error(note) }
    let ending = RunEnding(
      isRecorded: true, transitions: result.summary.transitions, lost: result.lost,
      cut: result.notes.isEmpty ? 0 : 1, name: inputs.name)
    let closing = SummaryPrinter.closing(ending, of: result.summary, lost: result.lost)
    try CommandRun.conclude(ending, closing, strict: tracing.strict)
    return true
  }

  /// The columns that the fold looks at.
  private func wanted(_ keys: [SummaryKey], _ rows: RowFilter) -> Set<Column> {
    var columns: Set<Column> = [
      .sequence, .connectionID, .stateOld, .stateNew, .stateDuration, .durationKind, .source, .timestamp,
      .timestampUnixNano, .reason,
    ]
    columns.formUnion(keys.flatMap(\.columns))
    if keys.contains(.process) { columns.insert(.ownerKind) }
    columns.formUnion(rows.columns)
    return columns
  }
}

extension RowFilter {
  /// The columns that it looks at, states and stays left out.
  var columns: Set<Column> {
    var columns: Set<Column> = []
    if family != nil || !eitherNetworks.isEmpty || !localNetworks.isEmpty || !peerNetworks.isEmpty {
      columns.formUnion([.localAddress, .peerAddress])
    }
    if eitherPorts != nil { columns.formUnion([.localPort, .peerPort]) }
    if localPorts != nil { columns.insert(.localPort) }
    if peerPorts != nil { columns.insert(.peerPort) }
    if !pids.isEmpty { columns.formUnion([.processPID, .actorPID]) }
    if !processes.isEmpty { columns.formUnion([.processName, .actorName]) }
    if netns != nil { columns.insert(.netns) }
    if !workloads.containers.isEmpty { columns.formUnion([.containerName, .containerID]) }
    if !workloads.pods.isEmpty { columns.formUnion([.podName, .podNamespace]) }
    if !workloads.units.isEmpty { columns.insert(.unit) }
    return columns
  }
}
