// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TCPStateReport

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
