import TCPStateCore
import TCPStateReport

/// A fold over a recording that writes nothing until all is read.
protocol RecordedSink: TransitionSink, ~Copyable {}

extension RecordedSink where Self: ~Copyable {
  mutating func advance(to now: UInt64) {}
  mutating func finish() {}
  mutating func flush() throws -> Bool { false }
  mutating func measureTerminal() {}
  var writesWhileReading: Bool { false }
  var isDone: Bool { false }
  var waiting: Int { 0 }
  var descriptor: Int32 { 1 }
}

extension RecordingNeeds {
  /// What it takes to know which sockets were open, and since when.
  static func sockets(for command: String) -> Self {
    Self(
      command: command,
      columns: [
        [.timestampUnixNano, .timestamp], [.connectionID], [.stateOld], [.stateNew], [.localAddress], [.localPort],
        [.peerAddress], [.peerPort],
      ])
  }
}

/// What `--at` names: a moment of a recording, or its end.
struct ReplayMoment {
  private let moment: Moment?
  private let text: String
  private let utc: Bool

  init(_ text: String?, utc: Bool) throws(Failure) {
    self.text = text ?? ""
    self.utc = utc
    moment = text.flatMap { Moment(parsing: $0) }
    if let text, moment == nil {
      throw Failure(
        .usage,
        "--at: '\(Message.printable(text))' is not a time; write 2026-11-23T21:12:03Z, 21:12:03, or +90s from the start"
      )
    }
  }

  /// Whether it isn't simply the end.
  var isGiven: Bool { moment != nil }

  /// Nanoseconds since the epoch; `nil` for the end.
  func time(start: UInt64) -> UInt64? { moment?.time(start: start, utc: utc) }

  func failure(_ name: String, _ span: ClosedRange<UInt64>) -> Failure {
    let (start, end) = (TimeText.string(rfc3339: span.lowerBound), TimeText.string(rfc3339: span.upperBound))
    return Failure(.usage, "--at: \(Message.printable(text)) is not within \(name), which goes from \(start) to \(end)")
  }
}

/// When a recording begins and ends, and how whole it is.
struct RecordedSpan {
  /// The first transition, nanoseconds since the epoch: rows of sockets that were
  /// there before are as old as those.
  private(set) var start: UInt64?
  private var latest: UInt64 = 0
  private(set) var lost: UInt64 = 0
  /// Whether it tells of sockets from before its start.
  private var hasExisting = false

  mutating func take(_ row: borrowing Transition, lossBefore: UInt64) {
    lost += lossBefore
    latest = max(latest, row.time)
    if row.isFound {
      hasExisting = true
    } else if start == nil {
      start = row.time
    }
  }

  /// From the first transition to the last; of a recording without any the newest socket's time.
  var range: ClosedRange<UInt64> { min(start ?? latest, latest)...latest }

  /// The moment wanted, which must be within the recording.
  func moment(_ moment: ReplayMoment, of name: String) throws(Failure) -> UInt64 {
    guard let time = moment.time(start: range.lowerBound) else {
      if moment.isGiven { throw moment.failure(name, range) }
      return range.upperBound
    }
    guard range.contains(time) else { throw moment.failure(name, range) }
    return time
  }

  /// For people: which moment of which recording, and what it can't tell.
  func description(of name: String, at time: UInt64, _ utc: Bool) -> String {
    var clock = ClockText(utc: utc)
    var text = ByteBuffer(capacity: 64)
    clock.append(time, precision: .milliseconds, to: &text)
    var line = "\(name) at \(text.text)\(time == range.upperBound ? ", its end" : "")."
    if !hasExisting { line += " It has no sockets from before its start that have done nothing since." }
    if lost > 0 { line += " \(NumberText.string(lost)) events were lost in it." }
    return line
  }
}
