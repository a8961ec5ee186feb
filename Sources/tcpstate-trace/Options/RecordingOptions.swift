// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TCPStateReport

/// The recordings that take the kernel's place.
struct RecordingOptions: ParsableArguments {
  @Option(
    name: .customLong("read"), parsing: .upToNextOption,
    help: ArgumentHelp(
      "Read recordings instead of tracing, merged by time: csv, jsonl, or the output of tcpstates, also as .gz or .zst; '-' is standard input. Needs no privileges.",
      valueName: "file"), completion: .file())
  var paths: [String] = []

  @Flag(help: "Skip lines of a recording that can't be read, and count them.")
  var skipBad = false

  /// Whether a recording is read; else it is the live kernel.
  var isGiven: Bool { !paths.isEmpty }

  /// - Parameter nullText: what stands for unknown in CSV.
  func inputs(_ needs: RecordingNeeds, nullText: String?, wanted: Set<Column>? = nil) -> RecordingInputs {
    RecordingInputs(paths: paths, skipsBad: skipBad, nullText: nullText ?? "", needs: needs, wanted: wanted)
  }

  /// Adds the recordings among the words, and checks the options that go with them.
  mutating func add(_ filters: FilterOptions) throws {
    paths += try filters.parsedWords().recordings
    if skipBad, !isGiven { throw Failure(.usage, "--skip-bad goes with --read") }
    if paths.filter({ $0 == "-" }).count > 1 {
      throw Failure(.usage, "--read: '-', standard input, can be read once only")
    }
  }

  /// Refuses what only the live kernel can do.
  func check(_ filters: FilterOptions, _ tracing: TracingOptions) throws {
    try filters.refuseCgroup()
    try tracing.recordOptions.refuse(with: self)
    if tracing.duration != nil { throw Failure(.usage, "--for: a recording ends by itself; leave it out") }
  }
}
