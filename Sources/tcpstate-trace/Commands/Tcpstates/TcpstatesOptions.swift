// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TCPStateReport

/// BCC's options; the others are common to all commands.
struct TcpstatesOptions: ParsableArguments {
  @Flag(name: [.customShort("T"), .customLong("time")], help: "Start each line with the time of day (HH:MM:SS).")
  var time = false

  @Flag(
    name: [.customShort("t"), .customLong("timestamp")], help: "Start each line with the seconds since the first line.")
  var timestamp = false

  @Flag(name: [.customShort("w"), .customLong("wide")], help: "Use wide columns, for IPv6 addresses.")
  var wide = false

  @Flag(name: [.customShort("s"), .customLong("csv")], help: "Print comma-separated values.")
  var csv = false

  @Flag(name: [.customShort("Y"), .customLong("journal")], help: "Also log to the systemd journal.")
  var journal = false

  @Option(
    help: ArgumentHelp("The journal's socket (default \(JournalSocket.defaultPath)).", valueName: "path"),
    completion: .file())
  var journalSocket: String?

  @Flag(
    help:
      "Show TIME_WAIT, which the tracepoint doesn't report: FIN_WAIT2 -> TIME_WAIT, and a minute later TIME_WAIT -> CLOSE."
  )
  var timeWait = false

  @OptionGroup var destination: DestinationOption
  var output: String? { destination.output }

  // BCC's spellings of --local-port and --remote-port.
  @Option(name: .customLong("localport"), help: ArgumentHelp(visibility: .hidden))
  var localport: String?

  @Option(name: .customLong("remoteport"), help: ArgumentHelp(visibility: .hidden))
  var remoteport: String?

  /// The filters, with the ports by BCC's names among them.
  func adding(to filters: FilterOptions) -> FilterOptions {
    var filters = filters
    filters.localPort = Self.joined(filters.localPort, localport)
    filters.remotePort = Self.joined(filters.remotePort, remoteport)
    return filters
  }

  private static func joined(_ first: String?, _ second: String?) -> String? {
    guard let first, let second else { return first ?? second }
    return "\(first),\(second)"
  }

  func style(terminalSafe: Bool) -> TcpstatesStyle {
    var style = TcpstatesStyle()
    style.time = time
    style.timestamp = timestamp
    style.wide = wide
    style.csv = csv
    style.terminalSafe = terminalSafe
    return style
  }
}
