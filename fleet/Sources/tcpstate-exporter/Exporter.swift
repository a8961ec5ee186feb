// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import ExporterMetrics
import ExporterWeb
import Glibc
import TCPStateKernel
import TCPStateLive

/// The program. Errors are printed here, once, on one line.
@main
struct Exporter: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tcpstate-exporter",
    abstract:
      "Exports how long TCP connections stay in each state, and which process owns the stuck ones, to Prometheus.",
    discussion: """
      Traces every TCP state transition of this host and serves the counts at /metrics, until SIGTERM. Each option can also be \
      given as an environment variable: TCPSTATE_EXPORTER_STUCK_OLDER_THAN=5m for --stuck.older-than 5m.

      EXAMPLES:
        sudo tcpstate-exporter
        sudo tcpstate-exporter --web.listen-address :10435 --stuck.older-than 5m
      """,
    version: Version.text)

  @OptionGroup(title: "Web") var web: WebOptions
  @OptionGroup(title: "Series") var export: ExportOptions
  @OptionGroup(title: "Tracing") var trace: TraceOptions

  static func main() {
    StartUp.prepare()
    do {
      let fromEnvironment = EnvironmentArguments(help: helpMessage(columns: 1000))
      let given = Array(CommandLine.arguments.dropFirst())
      let command = try parse(try fromEnvironment.adding(StartUp.environment, to: given))
      try command.serve()
    } catch let failure as Failure {
      Log.line(failure.message)
      Glibc.exit(failure.status.rawValue)
    } catch let error as WebError {
      Log.line(error.description)
      Glibc.exit(error.exitStatus)
    } catch let error as EnvironmentError {
      Log.line(error.description)
      Glibc.exit(ExitStatus.usage.rawValue)
    } catch let error as KernelError {
      Log.line(error.description)
      Glibc.exit(ExitStatus(error).rawValue)
    } catch {
      finish(error)
    }
    Glibc.exit(ExitStatus.done.rawValue)
  }

  /// Help and version go to standard output; a wrong call gets one line.
  private static func finish(_ error: any Error) -> Never {
    if exitCode(for: error) == .success {
      print(fullMessage(for: error))
      Glibc.exit(ExitStatus.done.rawValue)
    }
    let text = message(for: error).split(separator: "\n").joined(separator: " ")
    let isSentence = text.hasSuffix(".") || text.hasSuffix("?")
    Log.line(isSentence ? "\(text) Try 'tcpstate-exporter --help'." : "\(text); try 'tcpstate-exporter --help'")
    Glibc.exit(ExitStatus.usage.rawValue)
  }

  private func serve() throws {
    let limits = try export.limits()
    let pacer = try trace.pacer()
    let configuration = try trace.configuration()
    let webConfiguration = try web.configuration(
      landing: LandingPage(
        name: "tcpstate-exporter", summary: Self.configuration.abstract, version: EmbeddedVersion.number))
    try StartUp.requireRights()
    let pages = PublishedPage()
    // Addresses are bound before anything is attached, and the programs are loaded before there is another thread.
    let server = try WebServer(configuration: webConfiguration, pages: pages) { Log.line($0) }
    let stream = try LiveStream(configuration)
    try server.start { WebConfinement.enter() }
    var session = LiveSession(stream, limits: limits, pacer: pacer, pages: pages, server: server)
    try session.run()
  }
}
