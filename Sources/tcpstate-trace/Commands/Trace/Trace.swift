// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import TCPStateCore
import TCPStateReport

struct Trace: FoldingCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show every state transition as it happens (the default).",
    discussion: """
      Prints one line per transition: time, role, owning process, addresses, old and new state, and the time \
      spent in the old state. Ctrl-C ends the trace and prints a summary per state.

      EXAMPLES, after `sudo tcpstate-trace`:
        443                                  one port, at either end
        nginx                                one program
        close-wait --longer-than 1s          slow to close
        --format csv --output t.csv          for analysis
        --read t.csv 10.0.0.0/8              a recording, without sudo
      """)

  @OptionGroup(title: "Output") var output: OutputOptions
  @OptionGroup(title: "Tracing") var tracing: TracingOptions
  @OptionGroup(title: "Which connections") var filters: FilterOptions
  @OptionGroup(title: "Recordings") var recording: RecordingOptions

  mutating func run() throws {
    try recording.add(filters)
    try output.validate(reads: recording.isGiven)
    let columns = try output.validatedColumns()
    let rows = try filters.rowFilter()
    let needs = RecordingNeeds(command: "trace", columns: [[.stateOld], [.stateNew]])
    // A table has a column for them on a wide terminal only.
    let run = try commandRun(
      kernel: rows, destination: output.destination, inputs: recording.inputs(needs, nullText: output.nullText),
      names: output.format == .table ? isatty(1) == 1 : columns.contains { $0.isOfWorkload })
    let isWhole = recording.paths.count == 1 && !filters.isGiven
    let kind: TracePrinter.Kind = !run.isRecorded ? .live : isWhole ? .whole : .selected
    let limit = try tracing.limits().count
    let readsExisting = !tracing.noExisting
    try run.run {
      try TracePrinter(output: output, columns: columns, filter: rows, limit: limit, kind: kind)
    } opening: {
      OpeningLine.text($0, readExisting: readsExisting)
    }
  }
}
