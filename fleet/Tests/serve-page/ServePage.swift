// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import ExporterWeb
import Glibc

/// The web server alone, with a made-up page that changes each second: what the tests with real clients run, so that they
/// need no rights and no kernel.
@main
struct ServePage: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "example-serve-page", abstract: "Serves a made-up page of series; prints the ports it listens on.")

  @OptionGroup var web: WebOptions
  @Option(help: "Series on the page.") var series = 100
  @Option(help: "Seconds for a request's header, and for reading a response.") var seconds: Int?
  @Flag(help: "Publish nothing.") var silent = false

  mutating func run() throws {
    do {
      var configuration = try web.configuration(
        landing: LandingPage(name: "example", summary: "A page & its <series>.", version: "1"))
      if let seconds {
        configuration.limits.readTime = .seconds(seconds)
        configuration.limits.writeTime = .seconds(seconds)
        configuration.limits.idleTime = .seconds(2 * seconds)
      }
      let pages = PublishedPage()
      let server = try WebServer(configuration: configuration, pages: pages) { line in
        print(line)
        fflush(nil)
      }
      try server.start()
      for address in server.addresses { print("listening on \(address)") }
      fflush(nil)
      var round = 0
      while true {
        if !silent { publish(round, server.statistics, to: pages) }
        round += 1
        sleep(1)
      }
    } catch let error as WebError {
      var line = "error: \(error.message)\n"
      line.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
      throw ExitCode(error.exitStatus)
    }
  }

  private func publish(_ round: Int, _ statistics: WebStatistics, to pages: PublishedPage) {
    var text = "# HELP example_series A made-up number.\n# TYPE example_series gauge\n"
    for number in 0..<series { text += "example_series{number=\"\(number)\"} \(round &* 7 &+ number)\n" }
    text +=
      "# HELP example_connections_dropped_total Connections dropped.\n# TYPE example_connections_dropped_total counter\n"
    var open = "# HELP example_connections_dropped Connections dropped.\n# TYPE example_connections_dropped counter\n"
    for (cause, count) in statistics.droppedConnections {
      text += "example_connections_dropped_total{cause=\"\(cause)\"} \(count)\n"
      open += "example_connections_dropped_total{cause=\"\(cause)\"} \(count)\n"
    }
    for (code, count) in statistics.scrapes {
      text += "example_scrapes_total{code=\"\(code)\"} \(count)\n"
    }
    text += "example_config_last_reload_successful \(statistics.configurationReloadSucceeded ? 1 : 0)\n"
    text += "example_open_connections \(statistics.openConnections)\n"
    pages.publish(text: Array(text.utf8), openMetrics: Array((open + "# EOF\n").utf8))
  }
}
