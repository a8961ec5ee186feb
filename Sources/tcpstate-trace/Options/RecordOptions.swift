// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// A recording of everything that a live command sees.
struct RecordOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Also save everything that is traced to a file for --read (csv, all columns).", valueName: "file"),
    completion: .file())
  var record: String?

  func refuse(with recording: RecordingOptions) throws {
    guard record != nil, recording.isGiven else { return }
    throw Failure(.usage, "--record: the input is a recording already; trace --read --format csv converts it")
  }

  /// Makes the file; `nil` if none is wanted.
  ///
  /// - Parameter appends: whether it adds to what is in the file.
  func recorder(appends: Bool = false) throws -> Recorder? {
    guard let record else { return nil }
    if record == "-" {
      throw Failure(.usage, "--record: needs a file; for standard output use trace --format csv")
    }
    return try Recorder(path: record, appends: appends)
  }
}
