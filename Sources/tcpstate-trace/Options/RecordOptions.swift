import ArgumentParser

/// A recording beside what a live command shows.
struct RecordOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Also write a recording, for --read: csv with all columns, of all that is traced.", valueName: "file"))
  var record: String?

  func refuse(with recording: RecordingOptions) throws {
    guard record != nil, recording.isGiven else { return }
    throw Failure(.usage, "--record: there is a recording already; trace --read --format csv writes another")
  }

  /// Makes the file; `nil` if none is wanted.
  ///
  /// - Parameter output: where the command writes its own output.
  func recorder(output: String? = nil) throws -> Recorder? {
    guard let record else { return nil }
    if record == "-" {
      throw Failure(.usage, "--record: a recording needs a file; for standard output there is trace --format csv")
    }
    if record == output {
      throw Failure(.usage, "--record: \(Message.printable(record)) is the output's file; name another")
    }
    return try Recorder(path: record)
  }
}
