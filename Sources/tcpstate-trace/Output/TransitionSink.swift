// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// A fold over transitions, wherever they come from: the live kernel or a recording.
protocol TransitionSink: ~Copyable {
  /// Takes in the next transition, in the order of their sequence.
  ///
  /// - Parameter lossBefore: events lost right before it.
  mutating func receive(_ row: inout Transition, lossBefore: UInt64)
}

/// A command's fold: it writes what it makes of the transitions.
protocol OutputSink: TransitionSink, ~Copyable {
  /// Whether it begins with the sockets that are open already, each as a row whose state is
  /// both old and new, at the time since when it is known to be in it, with source `snapshot`
  /// and without a stay. They come right after the start, in no order; a recording may have them too.
  var wantsExisting: Bool { get }

  /// Whether it shows what a row has only with `ConnectionTracker.fillsReadings`.
  var wantsReadings: Bool { get }

  /// Whether it writes before a recording is at its end, so that a line about the progress would be in its way.
  var writesWhileReading: Bool { get }

  /// Whether it only writes to its output, and not to the journal as well.
  var readsOnly: Bool { get }

  /// What it writes before the first transition, such as a header.
  mutating func begin() throws

  /// Time passes: `now` is on the rows' clock, nanoseconds since the epoch.
  mutating func advance(to now: UInt64)

  /// Whether rows wait for their local port, which connect() chooses late; `now` as above.
  mutating func waitsForPorts(now: UInt64) -> Bool

  /// A connecting socket was found, with its local port.
  mutating func learnPort(_ connection: UInt64, _ port: UInt16)

  /// All connecting sockets were read, from `time` on.
  mutating func learnedPorts(at time: UInt64)

  /// Nothing more comes.
  mutating func finish()

  /// The same after a live run.
  ///
  /// - Parameter loss: events lost after the last row, which ends at `time`.
  mutating func finish(lossAfter loss: UInt64, at time: UInt64)

  /// What the status line says while the command writes nothing to the terminal; `nil` for none.
  ///
  /// - Parameter open: connections that are open now.
  func status(open: UInt64) -> String?

  /// Writes what there is without being held up.
  ///
  /// - Returns: whether some has to wait for the reader.
  mutating func flush() throws -> Bool

  /// The terminal's size has changed.
  mutating func measureTerminal()

  /// The terminal has shown ^C.
  mutating func interrupted()

  /// The last text for people, on standard error. `CommandRun` adds a line about what is missing, unless this
  /// text has the numbers.
  mutating func closing(_ ending: RunEnding) -> ClosingText

  /// The same after a live run, with what the tracker knows at its end.
  mutating func closing(_ ending: RunEnding, _ tracker: borrowing ConnectionTracker) -> ClosingText

  /// Whether nothing more is to be shown: enough was, or the reader is gone.
  var isDone: Bool { get }
  /// Bytes that wait for the reader.
  var waiting: Int { get }
  /// Where the output goes.
  var descriptor: Int32 { get }
}

extension OutputSink where Self: ~Copyable {
  var wantsExisting: Bool { false }
  var wantsReadings: Bool { true }
  var writesWhileReading: Bool { true }
  var readsOnly: Bool { true }
  /// Whether the reader is so far behind that no more should be produced.
  var isBackedUp: Bool { waiting > OutputFile.highWater }
  mutating func begin() throws {}
  mutating func finish(lossAfter loss: UInt64, at time: UInt64) { finish() }
  mutating func advance(to now: UInt64) {}
  func status(open: UInt64) -> String? { nil }
  mutating func interrupted() { Message.endInterruptedLine() }
  mutating func measureTerminal() {}
  mutating func waitsForPorts(now: UInt64) -> Bool { false }
  mutating func learnPort(_ connection: UInt64, _ port: UInt16) {}
  mutating func learnedPorts(at time: UInt64) {}
  mutating func closing(_ ending: RunEnding, _ tracker: borrowing ConnectionTracker) -> ClosingText { closing(ending) }
}

/// What a command says at its end.
struct ClosingText {
  /// Whole lines; empty for nothing.
  var text = ""
  /// Whether the text counts what was lost.
  var hasLosses = false
}
