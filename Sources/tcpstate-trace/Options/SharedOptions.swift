// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

// Options that several commands have, each declared once.

/// Where the output goes.
struct DestinationOption: ParsableArguments {
  @Option(
    name: [.customShort("o"), .long],
    help: ArgumentHelp("Write to a file instead of standard output; '-' is standard output.", valueName: "file"),
    completion: .file())
  var output: String?

  @Flag(help: "Add to the files of --output and --record, which keep what is in them, instead of replacing it.")
  var append = false

  /// - Parameter record: the file of --record.
  func check(record: String? = nil) throws(Failure) {
    guard append, output == nil || output == "-", record == nil else { return }
    throw Failure(.usage, "--append goes with --output or --record, whose file it adds to; with standard output use >>")
  }

  /// Opens it; what is in it stays until there is something to write.
  func open() throws(Failure) -> OutputFile { try OutputFile(path: output, appends: append) }
}

/// The text for unknown values.
struct NullOption: ParsableArguments {
  @Option(name: .customLong("null"), help: ArgumentHelp("Text that stands for unknown in csv.", valueName: "text"))
  var nullText: String?
}

/// How CSV is written.
struct CSVOptions: ParsableArguments {
  @Flag(help: "Leave out the header line.")
  var noHeader = false

  @OptionGroup var null: NullOption

  @Flag(help: "Prefix csv cells that a spreadsheet would run as a formula with '.")
  var excelSafe = false

  /// - Parameter reads: a recording is read, in which `--null` stands for unknown too.
  func validate(_ format: OutputFormat, reads: Bool) throws {
    if null.nullText != nil, format != .csv, !reads { throw Failure(.usage, "--null goes with --format csv") }
    if excelSafe, format != .csv { throw Failure(.usage, "--excel-safe goes with --format csv") }
  }
}

struct ColorOption: ParsableArguments {
  @Option(help: "auto, always or never.")
  var color = ColorChoice.auto
}

struct TimeZoneOption: ParsableArguments {
  @Flag(help: "Show times in UTC.")
  var utc = false
}

/// Whether anything missed is a failure.
struct StrictOption: ParsableArguments {
  @Flag(help: "Exit with status 3 if anything was missed: events lost or contradictory, lines left out.")
  var strict = false
}
