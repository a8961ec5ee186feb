import TCPStateCore

/// A command's fold over transitions, wherever they come from: the live
/// kernel (`LiveSession`) or a recording (`RecordingSession`).
protocol TransitionSink: ~Copyable {
  /// Takes in the next transition, in the order of their sequence.
  ///
  /// - Parameter lossBefore: events lost right before it.
  mutating func receive(_ row: inout Transition, lossBefore: UInt64)

  /// Whether it begins with the sockets that were there already, each by a row whose state is
  /// both old and new, at the time since when it is known to be in it, with source `snapshot`
  /// and without a stay. They come right after the start, in no order; a recording may have them too.
  var wantsExisting: Bool { get }

  /// Whether it writes before a recording is at its end, so that a line about the progress would be in its way.
  var writesWhileReading: Bool { get }

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

  /// Writes what there is without being held up.
  ///
  /// - Returns: whether some has to wait for the reader.
  mutating func flush() throws -> Bool

  /// The terminal's size has changed.
  mutating func measureTerminal()

  /// The terminal has shown ^C.
  mutating func interrupted()

  /// Whether nothing more is to be shown: enough was, or the reader is gone.
  var isDone: Bool { get }
  /// Bytes that wait for the reader.
  var waiting: Int { get }
  /// Where the output goes.
  var descriptor: Int32 { get }
}

extension TransitionSink where Self: ~Copyable {
  var wantsExisting: Bool { false }
  var writesWhileReading: Bool { true }
  /// Whether the reader is so far behind that no more should be produced.
  var isBackedUp: Bool { waiting > OutputFile.highWater }
  mutating func interrupted() { Message.endInterruptedLine() }
  mutating func waitsForPorts(now: UInt64) -> Bool { false }
  mutating func learnPort(_ connection: UInt64, _ port: UInt16) {}
  mutating func learnedPorts(at time: UInt64) {}
}
