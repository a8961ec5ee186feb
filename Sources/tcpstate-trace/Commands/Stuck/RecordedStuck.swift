// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// The sockets of a recording, as of its end or the moment asked for.
struct RecordedStuck: TransitionSink, ~Copyable {
  private(set) var sockets = RecordedSockets()
  private(set) var span = RecordedSpan()
  private let moment: ReplayMoment

  init(_ moment: ReplayMoment) {
    self.moment = moment
  }

  mutating func receive(_ row: inout Transition, lossBefore: UInt64) {
    span.take(row, lossBefore: lossBefore)
    // Rows before the start are sockets that were open already.
    if let start = span.start, let limit = moment.time(start: start), row.time > max(limit, start) { return }
    sockets.receive(row)
  }
}
