import Glibc
import TCPStateCore
import TCPStateReport

/// A sink over a recording; no privileges are needed.
struct RecordingSession<Sink: TransitionSink & ~Copyable>: ~Copyable {
  /// What a command can't do without.
  struct Needs {
    let command: String
    /// One column of each must be there.
    let columns: [[Column]]
  }

  private let path: String
  private var reader: TransitionReader
  var sink: Sink
  private let needs: Needs
  private var isChecked = false

  init(_ options: RecordingOptions, nullText: String, needs: Needs, sink: consuming Sink) {
    path = options.path ?? "-"
    self.needs = needs
    self.sink = sink
    reader = TransitionReader(nullText: nullText)
  }

  /// What messages call the recording.
  var name: String { path == "-" ? "standard input" : Message.printable(path) }

  mutating func run() throws {
    signal(SIGPIPE, SIG_IGN)
    let descriptor = path == "-" ? 0 : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw Failure(.badInput, "can't read \(name): \(String(cString: strerror(errno)))")
    }
    defer { if descriptor > 0 { close(descriptor) } }
    var row = Transition()
    var sequence: UInt64 = 0
    reading: while !sink.isDone {
      switch try next(&row) {
      case .row:
        let lost = row.sequence > sequence + 1 && sequence > 0 ? row.sequence - sequence - 1 : 0
        sequence = row.sequence
        sink.receive(&row, lossBefore: lost)
        sink.advance(to: row.time)
      case .needsBytes:
        try writeOut()
        try fill(descriptor)
      case .end:
        break reading
      }
    }
    try check(atEnd: true)
    sink.finish()
    try writeOut()
    if reader.wasCut {
      Message.line("tcpstate-trace: \(name):\(reader.line + 1): the last line is cut short and was left out")
    }
  }

  private mutating func next(_ row: inout Transition) throws -> TransitionReader.Outcome {
    do throws(RecordingError) {
      let outcome = try reader.next(&row)
      if !isChecked, reader.line > 1 || outcome == .row { try check(atEnd: false) }
      return outcome
    } catch {
      throw Failure(.badInput, "\(name):\(error.line): \(error.what)")
    }
  }

  private mutating func check(atEnd: Bool) throws(RecordingError) {
    guard !isChecked else { return }
    guard !reader.columns.isEmpty else {
      guard atEnd else { return }
      throw RecordingError(line: 1, "is empty: not even a header")
    }
    isChecked = true
    let reader = reader.columns
    let missing = needs.columns.filter { choice in !choice.contains { reader.contains($0) } }
    guard !missing.isEmpty else { return }
    let names = missing.map { $0[0].csvName.description }.joined(separator: ", ")
    throw RecordingError(
      line: 1, "\(needs.command) needs the column\(missing.count > 1 ? "s" : "") \(names); record with --columns all")
  }

  private mutating func fill(_ descriptor: Int32) throws {
    var failure: Int32 = 0
    _ = reader.append { room in
      while true {
        let count = read(descriptor, room.baseAddress, room.count)
        if count < 0, errno == EINTR { continue }
        if count < 0 { failure = errno }
        return count
      }
    }
    if failure != 0 { throw Failure(.badInput, "can't read \(name): \(String(cString: strerror(failure)))") }
  }

  /// Writes all there is, waiting for the reader.
  private mutating func writeOut() throws {
    while try sink.flush() {
      var poll = pollfd(fd: sink.descriptor, events: Int16(POLLOUT), revents: 0)
      _ = Glibc.poll(&poll, 1, -1)
    }
  }
}
