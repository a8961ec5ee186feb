// SPDX-License-Identifier: Apache-2.0
import ExporterMetrics
import Testing

@Suite struct SettingsTests {
  private let arguments = EnvironmentArguments(
    help: """
      OVERVIEW: Exports.

      USAGE: tcpstate-exporter [--web.listen-address <address> ...]

      WEB:
        --web.listen-address <address> ...
                                Where.
        --web.systemd-socket    Sockets.
      SERIES:
        --collector.stuck/--no-collector.stuck
                                Look. (default: --collector.stuck)
        --stuck.older-than <duration>
                                How long. (default: 60s)

      OPTIONS:
        --version               Show the version.
        -h, --help              Show help information.

      """)

  @Test func optionsOfTheHelp() {
    #expect(
      arguments.options == [
        .init(name: "--web.listen-address", takesValue: true, isRepeatable: true),
        .init(name: "--web.systemd-socket", takesValue: false, isRepeatable: false),
        .init(
          name: "--collector.stuck", takesValue: false, isRepeatable: false, inverse: "--no-collector.stuck"),
        .init(name: "--stuck.older-than", takesValue: true, isRepeatable: false),
      ])
  }

  private func adding(_ name: String, _ value: String, to given: [String] = []) throws(EnvironmentError) -> [String] {
    try arguments.adding([(name: "PATH", value: "/bin"), (name: name, value: value)], to: given)
  }

  @Test func variablesBecomeOptions() throws {
    #expect(try adding("TCPSTATE_EXPORTER_STUCK_OLDER_THAN", "5m") == ["--stuck.older-than=5m"])
    #expect(
      try adding("TCPSTATE_EXPORTER_WEB_LISTEN_ADDRESS", ":1, [::1]:2")
        == ["--web.listen-address=:1", "--web.listen-address=[::1]:2"])
    #expect(try adding("TCPSTATE_EXPORTER_WEB_SYSTEMD_SOCKET", "true") == ["--web.systemd-socket"])
    #expect(try adding("TCPSTATE_EXPORTER_WEB_SYSTEMD_SOCKET", "false") == [])
    #expect(try adding("TCPSTATE_EXPORTER_COLLECTOR_STUCK", "0") == ["--no-collector.stuck"])
  }

  @Test func theCommandLineCounts() throws {
    for given in [["--stuck.older-than", "1s"], ["--stuck.older-than=1s"]] {
      #expect(try adding("TCPSTATE_EXPORTER_STUCK_OLDER_THAN", "5m", to: given) == given)
    }
    #expect(
      try adding("TCPSTATE_EXPORTER_COLLECTOR_STUCK", "yes", to: ["--no-collector.stuck"]) == ["--no-collector.stuck"])
  }

  @Test func mistakesAreNamed() {
    #expect(throws: EnvironmentError.self) { try adding("TCPSTATE_EXPORTER_STUCK_OLDER", "5m") }
    #expect(throws: EnvironmentError.self) { try adding("TCPSTATE_EXPORTER_COLLECTOR_STUCK", "perhaps") }
  }

  /// Readings that cost much are made less often.
  @Test func pacing() {
    var pacer = ReadingPacer(interval: 5 * second, share: 0.01)
    #expect(pacer.nextReading == 0)
    pacer.read(at: 100 * second, cost: 10_000_000)
    #expect(pacer.nextReading == 105 * second)
    pacer.read(at: 105 * second, cost: 200_000_000)
    #expect(pacer.nextReading == 125 * second)
  }
}
