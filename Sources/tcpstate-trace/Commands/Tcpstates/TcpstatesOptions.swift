import ArgumentParser
import TCPStateReport

/// BCC's options beside those that all commands have.
struct TcpstatesOptions: ParsableArguments {
  @Flag(name: [.customShort("T"), .customLong("time")], help: "Put the time of day first (HH:MM:SS).")
  var time = false

  @Flag(name: [.customShort("t"), .customLong("timestamp")], help: "Put the seconds since the first line first.")
  var timestamp = false

  @Flag(name: [.customShort("w"), .customLong("wide")], help: "Wide columns (fits IPv6 addresses).")
  var wide = false

  @Flag(name: [.customShort("s"), .customLong("csv")], help: "Comma separated values.")
  var csv = false

  @Flag(name: [.customShort("Y"), .customLong("journal")], help: "Log to the systemd journal too.")
  var journal = false

  @Option(
    help: ArgumentHelp("The journal's socket (default \(JournalSocket.defaultPath)).", valueName: "path"))
  var journalSocket: String?

  @Flag(
    help: "Show TIME_WAIT, which the kernel doesn't tell of: FIN_WAIT2 -> TIME_WAIT, a minute later TIME_WAIT -> CLOSE."
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
