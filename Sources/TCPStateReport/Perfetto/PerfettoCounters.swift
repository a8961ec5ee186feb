// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// How many sockets are in each state, written at most once per millisecond of the trace.
struct PerfettoCounters {
  private static let interval: UInt64 = 1_000_000

  private var counts: InlineArray<13, UInt64> = .init(repeating: 0)
  private var changed: InlineArray<13, Bool> = .init(repeating: false)
  /// The time last written.
  private var lastWritten: UInt64 = 0
  /// The time of the latest row. A late row doesn't set the counters back.
  private var now: UInt64 = 0

  /// Counts a socket that goes from one state to another; `nil` for one that wasn't known.
  mutating func move(from old: TCPState?, to new: TCPState) {
    if let old, old.isKnown, old != .closed, counts[Int(old.number)] > 0 {
      counts[Int(old.number)] -= 1
      changed[Int(old.number)] = true
    }
    if new.isKnown, new != .closed {
      counts[Int(new.number)] += 1
      changed[Int(new.number)] = true
    }
  }

  /// Moves to the time of a row, before its own `move`. Writes the counters up to then if that is due.
  mutating func advance(to time: UInt64, _ writer: inout PerfettoWriter, _ buffer: inout ByteBuffer) {
    if time >= lastWritten + Self.interval { write(&writer, &buffer) }
    now = max(now, time)
  }

  /// Writes the counters that have changed.
  mutating func write(_ writer: inout PerfettoWriter, _ buffer: inout ByteBuffer) {
    lastWritten = now
    for state in TCPState.all where changed[Int(state.number)] {
      changed[Int(state.number)] = false
      writer.append(counter: state, counts[Int(state.number)], at: now, to: &buffer)
    }
  }
}
