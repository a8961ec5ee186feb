// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import TCPStateCore
import TCPStateKernel
import TCPStateReport

struct DoctorCommand: ParsableCommand {
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case table, json
  }

  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Check what this kernel, these rights and this container allow, and what to do about the rest.",
    discussion: """
      It changes nothing. With the rights to trace it loads and attaches the programs, reads the tables of sockets once, and \
      detaches again at once; without them it reports what can be seen all the same. It exits with 0 if tracing works, also \
      with less, and with 69 if it doesn't.

      EXAMPLES:
        sudo tcpstate-trace doctor
        sudo tcpstate-trace doctor --format json
      """)

  @Option(help: "table or json.")
  var format = Format.table

  @OptionGroup var look: ColorOption

  mutating func run() throws {
    signal(SIGPIPE, SIG_IGN)
    let diagnosis = Diagnosis.ofThisSystem()
    var file = try OutputFile(path: nil)
    switch format {
    case .table:
      let style = TableStyle(
        width: Terminal.width(of: 1), color: look.color.applies(to: 1), glyphs: Terminal.glyphs(isatty(1) == 1))
      DiagnosisText(style).append(diagnosis, to: &file.pending)
    case .json: DiagnosisJSON.append(diagnosis, version: Version.number, to: &file.pending)
    }
    try file.writeOut()
    if !diagnosis.canTrace { throw ExitCode(ExitStatus.unavailable.rawValue) }
  }
}
