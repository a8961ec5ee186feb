// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import TCPStateCore
import TCPStateKernel
import TCPStateLive
import TCPStateReport

/// One run of a command that folds transitions: where they come from, what is said, and how it ends.
///
/// Every such command goes through here, so that each works on the live kernel and on recordings, reports what
/// was missed, and ends with the same exit statuses.
struct CommandRun {
  let source: Source
  /// Whether anything missed makes the exit status 3.
  let strict: Bool

  enum Source {
    case live(Live)
    case recorded(RecordingInputs)
  }

  struct Live {
    var configuration: LiveConfiguration
    /// Writes all rows besides what the command shows; `nil` for none.
    let record: RecordOptions
    /// Whether files are added to.
    let appends: Bool
    /// Nanoseconds; `nil` until a signal.
    let duration: UInt64?
  }

  var isRecorded: Bool { if case .recorded = source { true } else { false } }

  /// - Parameters:
  ///   - makeSink: opens the output, after the kernel side is loaded and before capabilities are given up.
  ///   - opening: what to say once everything is attached, if anything.
  func run<Sink: OutputSink & ~Copyable>(
    _ makeSink: () throws -> Sink, opening: (borrowing LiveStream) -> String?
  ) throws {
    switch source {
    case .live(let live): try trace(live, makeSink, opening)
    case .recorded(let inputs): try read(inputs, makeSink)
    }
  }

  private func trace<Sink: OutputSink & ~Copyable>(
    _ live: Live, _ makeSink: () throws -> Sink, _ opening: (borrowing LiveStream) -> String?
  ) throws {
    try Rights.require()
    // Signals first: from here on none ends the program half-way.
    let loop = try EventLoop()
    let stream = try LiveStream(live.configuration)
    let recorder = try live.record.recorder(appends: live.appends)
    var sink = try makeSink()
    try sink.begin()
    var session = LiveSession(stream, recorder: recorder, sink: sink)
    try session.start(loop, for: live.duration, opening: opening)
    try loop.run(&session, until: live.duration.map { session.stream.attachedAt.saturatingAdding($0) })
    let (ending, text) = try session.finish(loop)
    try Self.conclude(ending, text, strict: strict)
  }

  private func read<Sink: OutputSink & ~Copyable>(
    _ inputs: RecordingInputs, _ makeSink: () throws -> Sink
  ) throws {
    // The inputs first: one that can't be opened, or is the output, leaves the output as it was.
    var session = try RecordingSession(inputs, showsProgress: true)
    var sink = try makeSink()
    if isatty(sink.descriptor) == 1, sink.writesWhileReading { session.hideProgress() }
    try session.confine(filtering: sink.readsOnly)
    try read(&session, &sink)
  }

  /// Folds all rows of recordings, which are open and confined.
  func read<Sink: OutputSink & ~Copyable>(_ session: inout RecordingSession, _ sink: inout Sink) throws {
    // Not before the first row of each: a file that is no recording leaves the output as it was, too.
    try session.begin()
    try sink.begin()
    do {
      try session.forEach(
        { row, loss in
          let time = row.time
          sink.receive(&row, lossBefore: loss)
          sink.advance(to: time)
          return !sink.isDone
        },
        idle: { try sink.writeOut() })
    } catch {
      // The rows before a bad line are good.
      if sink.writesWhileReading {
        sink.finish()
        try? sink.writeOut()
      }
      throw error
    }
    sink.finish()
    try sink.writeOut()
    session.reportNotes()
    try Self.conclude(session.ending, sink.closing(session.ending), strict: strict)
  }

  /// Folds all rows of recordings into a sink that writes nothing meanwhile.
  static func collect(
    _ session: inout RecordingSession, into sink: inout some TransitionSink & ~Copyable
  ) throws -> RunEnding {
    try session.confine()
    try session.begin()
    try session.forEach { row, loss in
      sink.receive(&row, lossBefore: loss)
      return true
    }
    session.reportNotes()
    return session.ending
  }

  /// Says the last words, and fails if something was missed that must not be.
  static func conclude(_ ending: RunEnding, _ closing: ClosingText, strict: Bool) throws {
    Message.closing(closing.text)
    if !closing.hasLosses, let missing = ending.missing { Message.line(missing) }
    if strict, !ending.isComplete { throw ExitCode(ExitStatus.incomplete.rawValue) }
  }
}

extension OutputSink where Self: ~Copyable {
  /// Writes all there is, waiting for the reader.
  mutating func writeOut() throws {
    while try flush() {
      var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      _ = Glibc.poll(&poll, 1, -1)
    }
  }
}
