// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TCPStateKernel
import TCPStateReport

struct ReportCommand: FoldingCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Make an HTML page of connections, or a trace for Perfetto: one file that needs no network.",
    discussion: """
      Reads a recording (--read) or traces live until --for or Ctrl-C, then completes the report.

      EXAMPLES:
        tcpstate-trace report --read t.csv --output t.html
        sudo tcpstate-trace report --for 1m --output t.html
        tcpstate-trace report --read t.csv --format perfetto --output t.json
      """)

  @OptionGroup(title: "Report") var options: ReportOptions
  @OptionGroup(title: "Which connections") var filters: FilterOptions
  @OptionGroup(title: "Recordings") var recording: RecordingOptions
  @OptionGroup(title: "Tracing") var tracing: TracingOptions

  mutating func run() throws {
    try recording.add(filters)
    try options.checkOutput()
    if options.destination.append { throw Failure(.usage, "--append: a report is one document; leave it out") }
    let selection = LifecycleSelection(try filters.rowFilter(), connection: nil)
    switch options.format {
    case .html:
      let origin = origin
      try run(selection) { HTMLReport(origin: origin) { selection.wants($0) } }
    case .perfetto: try run(selection) { PerfettoReport(filter: selection.filter) { selection.wants($0) } }
    }
  }

  /// A recording doesn't say on which host it was made.
  private var origin: ReportOrigin {
    let names = recording.paths.map { Message.printable($0) }
    guard names.isEmpty else { return ReportOrigin(version: Version.text, command: Typed.line, recordings: names) }
    let host = HostName.running
    return ReportOrigin(
      version: Version.text, command: Typed.line, host: Message.printable(host.name), kernel: host.kernel)
  }

  private func run<Document: ReportDocument & ~Copyable>(
    _ selection: LifecycleSelection, _ makeDocument: () -> Document
  ) throws {
    let limit = try tracing.limits().count
    let ending = tracing.duration == nil ? " Ctrl-C ends, and completes it." : ""
    try commandRun(
      kernel: selection.shared, destination: options.destination,
      inputs: recording.inputs(.sockets(for: "report"), nullText: options.nullText), names: true
    ).run {
      try ReportPrinter(makeDocument(), selection: selection, limit: limit, output: options.output)
    } opening: { _ in
      "Collecting TCP connections for the report.\(ending)"
    }
  }
}
