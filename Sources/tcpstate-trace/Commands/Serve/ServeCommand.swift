// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc

/// Runs the exporter, which is a program of its own: what answers the network links more, and needs less, than what traces
/// for the command line.
struct ServeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Serve metrics to Prometheus: runs tcpstate-exporter, which is a package of its own.",
    discussion: """
      Everything after 'serve' is passed to tcpstate-exporter, which is looked for next to tcpstate-trace and in the system's \
      folders. 'tcpstate-trace serve --help' shows its options.

      EXAMPLES:
        sudo tcpstate-trace serve
        sudo tcpstate-trace serve --web.listen-address :10435
      """)

  @Argument(
    parsing: .captureForPassthrough,
    help: ArgumentHelp("Options of tcpstate-exporter.", valueName: "option"))
  var options: [String] = []

  mutating func run() throws {
    guard let path = ExporterProgram.find() else {
      throw Failure(
        .unavailable,
        "can't serve: tcpstate-exporter isn't installed; install the package tcpstate-exporter (looked in "
          + "\(ExporterProgram.folders.joined(separator: ", ")))")
    }
    let code = ExporterProgram.become(path, options)
    throw Failure(.unavailable, "can't run \(Message.printable(path)): \(String(cString: strerror(code)))")
  }
}
