// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc

enum ReportFormat: String, ExpressibleByArgument, CaseIterable {
  case html, perfetto
}

/// What `report` writes, and where.
struct ReportOptions: ParsableArguments {
  @Option(help: "html (a page for the browser) or perfetto (a trace for ui.perfetto.dev).")
  var format = ReportFormat.html

  @OptionGroup var destination: DestinationOption
  @OptionGroup var null: NullOption

  var output: String? { destination.output }
  var nullText: String? { null.nullText }

  /// A page is not for reading on a terminal.
  func checkOutput() throws {
    guard output == nil || output == "-", isatty(1) == 1 else { return }
    throw Failure(.usage, "a report is not for a terminal; name a file: --output report.\(format.suffix)")
  }
}

extension ReportFormat {
  /// What files of it are called.
  var suffix: String {
    switch self {
    case .html: "html"
    case .perfetto: "json"
    }
  }
}
