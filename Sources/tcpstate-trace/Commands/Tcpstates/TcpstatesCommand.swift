// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TCPStateReport

struct TcpstatesCommand: FoldingCommand {
  static let configuration = CommandConfiguration(
    commandName: "tcpstates",
    abstract: "Print transitions as BCC's tcpstates does, with its options, table and CSV.",
    discussion: """
      States are the kernel's: a connection goes from FIN_WAIT2 to CLOSE. The line comes when FIN-WAIT-2 is \
      really over, with its true duration; --time-wait shows what follows. C-PID and C-COMM name the socket's \
      owner. Unknown values print as '-', or as an empty cell in CSV. --localport and --remoteport work like -L \
      and -D. A link to this program with the name tcpstates runs this command.

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
    try recording.add(filters)
    filters = options.adding(to: filters)
    let rows = try filters.rowFilter()
    let limit = try tracing.limits().count
    try commandRun(
      kernel: rows, destination: options.destination, inputs: recording.inputs(Self.needs, nullText: nil)
    ).run {
      try TcpstatesPrinter(options: options, filter: rows, limit: limit)
    } opening: { _ in
      nil
    }
  }

  private static let needs = RecordingNeeds(
    command: "tcpstates",
    columns: [
      [.socketAddress, .connectionID], [.localAddress], [.localPort], [.peerAddress], [.peerPort], [.stateOld],
      [.stateNew],
    ])
}
