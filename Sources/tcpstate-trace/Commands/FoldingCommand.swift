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
  ///   - names: whether the command shows containers, pods or units; filters and recordings have them named anyway.
  func commandRun(
    kernel rows: RowFilter, destination: DestinationOption, inputs: RecordingInputs, names: Bool = false
  ) throws -> CommandRun {
    let limits = try tracing.limits()
    try destination.check(record: tracing.recordOptions.record)
    if recording.isGiven {
      try recording.check(filters, tracing)
      return CommandRun(source: .recorded(inputs), strict: tracing.strict)
    }
    let shown = try filters.rowFilter()
    AbsentProcesses.report(shown, waits: true)
    AbsentWorkloads.report(shown.workloads, waits: true)
    var configuration = LiveConfiguration()
    configuration.kernel = try tracing.configuration(filter: filters.kernelFilter(rows))
    configuration.readsExisting = !tracing.noExisting
    configuration.namesWorkloads =
      names || tracing.recordOptions.record != nil || !shown.workloads.isEmpty
    configuration.connectionLimit = try tracing.connections.limit()
    let live = CommandRun.Live(
      configuration: configuration, record: tracing.recordOptions, appends: destination.append,
      duration: limits.duration)
    return CommandRun(source: .live(live), strict: tracing.strict)
  }
}
