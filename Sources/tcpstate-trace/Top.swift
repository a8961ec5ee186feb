import ArgumentParser
import Glibc
import TCPStateCore
import TCPStateKernel
import TCPStateReport

struct Top: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Watch connections live on the full screen: states, oldest first, who holds them.",
    discussion: "Keys: a s p e b r sort, g groups, / filters, Enter shows one connection, ? helps, q quits.")

  @OptionGroup(title: "Which connections") var filters: FilterOptions

  @Option(help: "auto, always or never.")
  var color = ColorChoice.auto

  @Flag(help: "Times in UTC.")
  var utc = false

  @Flag(help: "Leave out the sockets that are there already.")
  var noExisting = false

  mutating func run() throws {
    let rows = try filters.rowFilter()
    var configuration = KernelSource.Configuration()
    configuration.filter = try filters.kernelFilter(rows)
    guard isatty(0) == 1, isatty(1) == 1 else {
      throw Failure(.usage, "top needs a terminal; for a file or a pipe there is trace, or stuck")
    }
    try TracingOptions.requirePrivilege()
    // Signals first: from here on none ends the program half-way.
    let loop = try EventLoop()
    let stream = try LiveStream(configuration)
    let style = TableStyle(color: color.applies(to: 1), utc: utc, glyphs: .ofLocale)
    var session = TopSession(loop: loop, stream: stream, filter: rows, style: style)
    try session.run(readExisting: !noExisting)
  }
}
