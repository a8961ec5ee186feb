import Glibc
import TCPStateCore
import TCPStateReport

/// A sink over recordings, merged by time; no privileges are needed.
struct RecordingSession<Sink: TransitionSink & ~Copyable>: ~Copyable {
  typealias Needs = RecordingNeeds

  private let options: RecordingOptions
  private let nullText: String
  private let needs: Needs
  private let wanted: Set<Column>?
  var sink: Sink
  private var inputs: [RecordingInput] = []
  private var progress: ReadingProgress
  /// Events lost, by the gaps of the recordings.
  private(set) var lost: UInt64 = 0
  /// Lines that couldn't be read.
  var leftOut: UInt64 { inputs.reduce(0) { $0 + $1.bad } }
  /// Whether all that was recorded is there, and all that was to be recorded was.
  var isComplete: Bool { lost == 0 && leftOut == 0 }
  /// Rows read.
  private(set) var rows: UInt64 = 0

  /// - Parameters:
  ///   - nullText: what stands for unknown in CSV, besides the empty cell.
  ///   - wanted: the columns that the sink looks at; `nil` if it looks at all.
  init(
    _ options: RecordingOptions, nullText: String, needs: Needs, wanted: Set<Column>? = nil, sink: consuming Sink
  ) {
    self.wanted = wanted
    self.options = options
    self.nullText = nullText
    self.needs = needs
    let mayShow = isatty(2) == 1 && (isatty(sink.descriptor) == 0 || !sink.writesWhileReading)
    progress = ReadingProgress(isShown: mayShow)
    self.sink = sink
  }

  /// What messages call the recordings.
  var name: String {
    options.paths.count == 1
      ? options.paths[0] == "-" ? "standard input" : Message.printable(options.paths[0])
      : "the \(NumberText.string(UInt64(options.paths.count))) recordings"
  }

  /// Folds all rows, ends the sink and writes the rest.
  mutating func run() throws {
    signal(SIGPIPE, SIG_IGN)
    do {
      try read()
    } catch {
      progress.clear()
      throw error
    }
    progress.clear()
    sink.finish()
    try writeOut()
    for note in inputs.flatMap(\.notes) { Message.error(note) }
  }

  private mutating func read() throws {
    for path in options.paths {
      inputs.append(
        try RecordingInput(path: path, nullText: nullText, needs: needs, wanted: wanted, skipsBad: options.skipBad))
    }
    /// Those that have a row left.
    var open: [RecordingInput] = []
    for input in inputs where try advance(input) {
      guard input.row.hasTime || inputs.count == 1 else {
        throw Failure(
          .badInput,
          "\(input.file.name):\(2): recordings are merged by time, and this one doesn't tell it; read it alone")
      }
      open.append(input)
    }
    while !open.isEmpty, !sink.isDone {
      var first = 0
      if open.count > 1 {
        for index in 1..<open.count where open[index].row.time < open[first].row.time { first = index }
      }
      let input = open[first]
      var row = input.row
      lost += input.lossBefore
      rows += 1
      let time = row.time
      sink.receive(&row, lossBefore: input.lossBefore)
      sink.advance(to: time)
      if try !advance(input) { open.remove(at: first) }
    }
  }

  private mutating func advance(_ input: RecordingInput) throws -> Bool {
    try input.advance {
      try writeOut()
      progress.show(inputs)
    }
  }

  /// Writes all there is, waiting for the reader.
  private mutating func writeOut() throws {
    while try sink.flush() {
      var poll = pollfd(fd: sink.descriptor, events: Int16(POLLOUT), revents: 0)
      _ = Glibc.poll(&poll, 1, -1)
    }
  }
}
