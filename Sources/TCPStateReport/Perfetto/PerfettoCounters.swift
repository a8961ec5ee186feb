import TCPStateCore

/// How many sockets are in each state, told at most once a millisecond of the trace.
struct PerfettoCounters {
  private static let interval: UInt64 = 1_000_000

  private var counts: InlineArray<13, UInt64> = .init(repeating: 0)
  private var changed: InlineArray<13, Bool> = .init(repeating: false)
  private var lastTold: UInt64 = 0
  /// Of the latest row; one that comes late doesn't take the counters back.
  private var now: UInt64 = 0

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

  /// Before the row's own move: tells what was until then, if that is due.
  mutating func advance(to time: UInt64, _ writer: inout PerfettoWriter, _ buffer: inout ByteBuffer) {
    if time >= lastTold + Self.interval { tell(&writer, &buffer) }
    now = max(now, time)
  }

  mutating func tell(_ writer: inout PerfettoWriter, _ buffer: inout ByteBuffer) {
    lastTold = now
    for state in TCPState.all where changed[Int(state.number)] {
      changed[Int(state.number)] = false
      writer.append(counter: state, counts[Int(state.number)], at: now, to: &buffer)
    }
  }
}
