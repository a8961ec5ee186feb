// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import TCPStateCore
import TCPStateKernel
import TCPStateLive
import TCPStateReport

struct Top: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Watch connections live on the full screen: states, the worst first, owning processes.",
    discussion: """
      With --read it shows a recording as of its end, or of --at, and keys move in time.

      KEYS
      \(TopKeys.text)

      What W saves is in $XDG_CONFIG_HOME/tcpstate-trace/config, or ~/.config/tcpstate-trace/config; under sudo it is \
      the invoking user's file. Options override it.

      EXAMPLES:
        sudo tcpstate-trace top
        sudo tcpstate-trace top nginx
        tcpstate-trace top --read t.csv --at 21:12:03
      """)

  @OptionGroup(title: "The screen") var options: TopOptions
  @OptionGroup(title: "Which connections") var filters: FilterOptions
  @OptionGroup(title: "Recordings") var recording: RecordingOptions

  @OptionGroup(title: "Recordings") var recordOptions: RecordOptions
  @OptionGroup(title: "Tracing") var connections: ConnectionLimitOptions

  @Option(
    help: ArgumentHelp(
      "With --read: the moment to begin at (default: the end): 2026-11-23T21:12:03Z, 21:12:03, or +90s from the start.",
      valueName: "time"))
  var at: String?

  @OptionGroup var null: NullOption
  @OptionGroup var look: ColorOption
  @OptionGroup var times: TimeZoneOption

  @Flag(help: "Leave out sockets that exist already.")
  var noExisting = false

  mutating func run() throws {
    try recording.add(filters)
    let rows = try filters.rowFilter()
    let style = TableStyle(color: look.color.applies(to: 1), utc: times.utc, glyphs: .ofLocale)
    let limit = try connections.limit()
    try recordOptions.refuse(with: recording)
    if connections.maxConnections != nil, recording.isGiven {
      throw Failure(.usage, "--max-connections limits live tracking; a recording is read whole")
    }
    var settings = TopSettings()
    try options.apply(to: &settings)  // a wrong one is refused before anything is set up
    if recording.isGiven { return try replay(rows, style) }
    if at != nil { throw Failure(.usage, "--at goes with --read; the live kernel knows the present only") }
    var configuration = LiveConfiguration()
    configuration.kernel.filter = try filters.kernelFilter(rows)
    configuration.connectionLimit = limit
    configuration.readsExisting = !noExisting
    configuration.namesWorkloads = true
    try requireTerminal(isatty(0) == 1)
    try Rights.require()
    let files = UserFiles()
    let (saved, notes) = try readSettings(files)
    // Signals first: from here on none ends the program half-way.
    let loop = try EventLoop()
    let stream = try LiveStream(configuration)
    let recorder = try recordOptions.recorder()
    let plan = TopSession.Plan(filter: rows, style: style, settings: saved, notes: notes)
    var session = TopSession(stream, recorder: recorder, files: files, plan)
    try session.start(loop)
    try loop.run(&session, until: nil)
    try session.finish()
  }

  /// The saved settings with the options over them, and a sentence if they can't be read.
  private func readSettings(_ files: borrowing UserFiles) throws -> (TopSettings, notes: [String]) {
    var settings = TopSettings()
    var notes: [String] = []
    if let text = files.settings, let problem = settings.read(text) {
      notes.append("\(files.path ?? "settings"), \(problem); the rest counts")
    } else if let trouble = files.trouble {
      notes.append("\(files.path ?? "settings") is not read: \(trouble)")
    }
    try options.apply(to: &settings)
    return (settings, notes.map { Message.printable($0) })
  }

  private func requireTerminal(_ hasKeys: Bool) throws(Failure) {
    guard hasKeys, isatty(1) == 1 else {
      throw Failure(.usage, "top needs a terminal; for a file or a pipe use trace or stuck")
    }
  }

  private func replay(_ filter: RowFilter, _ style: TableStyle) throws {
    try filters.refuseCgroup()
    let moment = try ReplayMoment(at, utc: times.utc)
    // Standard input may be the recording; keys then come from the terminal itself.
    let keys = isatty(0) == 1 ? 0 : open("/dev/tty", O_RDONLY | O_CLOEXEC)
    try requireTerminal(keys >= 0)
    let files = UserFiles()
    let (saved, notes) = try readSettings(files)
    let inputs = recording.inputs(.sockets(for: "top"), nullText: null.nullText)
    var sink = RecordedRows()
    var session = try RecordingSession(inputs, showsProgress: true)
    _ = try CommandRun.collect(&session, into: &sink)
    let span = sink.span
    let time = try span.moment(moment, of: inputs.name)
    var replay = TopReplay(sink.rows, span: span.range, lost: span.lost, filter: filter)
    replay.move(to: time)
    // The folder would take the room of all else.
    let file = inputs.name.split(separator: "/").last.map { String($0) } ?? inputs.name
    let loop = try EventLoop()
    let board = try TopScreen(keys: keys, style: style, settings: saved, files: files)
    var screen = TopReplaySession(replay, screen: board, name: file, notes: notes)
    try screen.start(loop)
    try loop.run(&screen, until: nil)
  }
}
