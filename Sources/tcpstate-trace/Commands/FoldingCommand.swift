// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TCPStateCore
import TCPStateLive

/// A command that folds transitions, with the options that all of these have.
protocol FoldingCommand: ParsableCommand {
  var filters: FilterOptions { get }
  var recording: RecordingOptions { get }
  var tracing: TracingOptions { get }
}

extension FoldingCommand {
  /// - Parameters:
  ///   - rows: what the kernel may leave out.
  ///   - destination: where the command writes.
  ///   - inputs: the recordings, if any.
  func commandRun(kernel rows: RowFilter, destination: DestinationOption, inputs: RecordingInputs) throws -> CommandRun
  {
    let limits = try tracing.limits()
    try destination.check(record: tracing.recordOptions.record)
    if recording.isGiven {
      try recording.check(filters, tracing)
      return CommandRun(source: .recorded(inputs), strict: tracing.strict)
    }
    AbsentProcesses.report(try filters.rowFilter(), waits: true)
    var configuration = LiveConfiguration()
    configuration.kernel = try tracing.configuration(filter: filters.kernelFilter(rows))
    configuration.readsExisting = !tracing.noExisting
    configuration.connectionLimit = try tracing.connections.limit()
    let live = CommandRun.Live(
      configuration: configuration, record: tracing.recordOptions, appends: destination.append,
      duration: limits.duration)
    return CommandRun(source: .live(live), strict: tracing.strict)
  }
}
