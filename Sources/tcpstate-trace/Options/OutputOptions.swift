// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import TCPStateReport

enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
  case table, csv, jsonl

  /// `json` is what most people type.
  init?(argument: String) {
    self.init(rawValue: argument == "json" ? "jsonl" : argument)
  }
}

enum ColorChoice: String, ExpressibleByArgument, CaseIterable {
  case auto, always, never

  /// Whether to colour what goes to `descriptor` (https://no-color.org).
  func applies(to descriptor: Int32) -> Bool {
    switch self {
    case .always: true
    case .never: false
    case .auto:
      isatty(descriptor) == 1 && (getenv("NO_COLOR").map { $0.pointee == 0 } ?? true)
        && getenv("TERM").map { String(cString: $0) } != "dumb"
    }
  }
}

/// How rows are written.
struct OutputOptions: ParsableArguments {
  @Option(help: "table, csv or jsonl.")
  var format = OutputFormat.table

  @Option(help: ArgumentHelp("Columns of csv and jsonl: default, all, or names.", valueName: "list"))
  var columns: String?

  @OptionGroup var destination: DestinationOption
  @OptionGroup var csv: CSVOptions
  @OptionGroup var look: ColorOption
  @OptionGroup var times: TimeZoneOption

  var output: String? { destination.output }
  var noHeader: Bool { csv.noHeader }
  var nullText: String? { csv.null.nullText }
  var excelSafe: Bool { csv.excelSafe }
  var color: ColorChoice { look.color }
  var utc: Bool { times.utc }

  /// The columns of csv and jsonl, of whichever kind the command writes.
  func validatedColumns<Kind: NamedColumn>(_ kind: Kind.Type = Column.self) throws -> [Kind] {
    guard let columns else { return Kind.defaults }
    if format == .table {
      throw Failure(.usage, "--columns goes with --format csv or jsonl; a table fits itself to the width")
    }
    do throws(ColumnListError<Kind>) {
      return try Kind.parse(columns)
    } catch {
      throw Failure(.usage, "--columns: \(Message.printable(error.description))")
    }
  }

  /// - Parameter reads: a recording is read, in which `--null` stands for unknown too.
  func validate(reads: Bool = false) throws { try csv.validate(format, reads: reads) }
}
