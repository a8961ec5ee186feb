// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// All rows of a recording, kept so that time can go back in it.
struct RecordedRows: TransitionSink, ~Copyable {
  private(set) var rows: [Transition] = []
  private(set) var span = RecordedSpan()

  mutating func receive(_ row: inout Transition, lossBefore: UInt64) {
    span.take(row, lossBefore: lossBefore)
    rows.append(row)
  }
}
