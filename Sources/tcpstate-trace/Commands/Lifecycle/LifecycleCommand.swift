// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TCPStateReport

struct LifecycleCommand: FoldingCommand {
  static let configuration = CommandConfiguration(
    commandName: "lifecycle",
    abstract: "Draw connections as the textbook does: both ends, each step, sequence numbers.",
    discussion: """
      Draws each connection when both ends are closed or in TIME-WAIT. TIME-WAIT lasts a minute and is shown \
      as still open unless --time-wait waits for its end. Ctrl-C draws the connections that are still open. \
      An end without a socket on this host is implied, in parentheses.

      EXAMPLES:
        sudo tcpstate-trace lifecycle 443 --count 20
        sudo tcpstate-trace lifecycle curl --follow
        tcpstate-trace lifecycle --read t.csv --relative
      """)

  @OptionGroup(title: "Lifecycle") var options: LifecycleOptions
  @OptionGroup(title: "Which connections") var filters: FilterOptions
  @OptionGroup(title: "Recordings") var recording: RecordingOptions
  @OptionGroup(title: "Tracing") var tracing: TracingOptions

  mutating func run() throws {
    try recording.add(filters)
    let rows = try filters.rowFilter()
    let selection = LifecycleSelection(rows, connection: try options.connectionID())
    let limit = try tracing.limits().count
    let options = options
    try commandRun(
      kernel: selection.shared, destination: options.destination,
      inputs: recording.inputs(Self.needs, nullText: options.nullText), names: true
    ).run {
      try LifecyclePrinter(options: options, selection: selection, limit: limit)
    } opening: { _ in
      options.follow
        ? "Following TCP connections step by step. Ctrl-C ends."
        : "Drawing each TCP connection as it ends. Ctrl-C ends, and draws those still open."
    }
  }

  private static let needs = RecordingNeeds(
    command: "lifecycle",
    columns: [
      [.timestampUnixNano, .timestamp], [.connectionID], [.role], [.localAddress], [.localPort], [.peerAddress],
      [.peerPort], [.stateOld], [.stateNew], [.initialSendSequence], [.initialReceiveSequence],
    ])
}
