// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

/// CLOCK_REALTIME, as it is set.
private enum MachineClock {
  /// Moves it by so many seconds, within a microsecond.
  @discardableResult
  static func step(seconds: Int) -> Bool {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    time.tv_sec += seconds
    return clock_settime(CLOCK_REALTIME, &time) == 0
  }

  static var maySet: Bool { step(seconds: 0) }
}

extension Privileged {
  /// The machine's clock, set while a trace goes on.
  @Suite(.enabled(if: MachineClock.maySet, "needs leave to set the clock"))
  struct ClockTests {
    /// Times follow the clock, and say so; durations don't.
    @Test func stepped() throws {
      let pair = try Pair()
      let tracer = try Tracer(of: pair.namespace)
      let connected = try pair.connect().connected
      var steps = 0
      defer { MachineClock.step(seconds: -steps) }
      #expect(MachineClock.step(seconds: 2))
      steps = 2
      try tracer.process.read(until: Deadline(seconds: 60), "word of the step") {
        $0.errorText.contains("the clock was set 2.00 s forward")
      }
      let closed = try pair.client.ask("shutdown c")
      let seen = Clocks.realtime()
      #expect(MachineClock.step(seconds: -2))
      steps = 0
      try tracer.process.read(until: Deadline(seconds: 60), "word of the step back") {
        $0.errorText.contains("the clock was set 2.00 s back")
      }
      try pair.server.ask("close c")
      try tracer.wait(for: ["last_ack→closed": 1])
      let rows = try tracer.finish().withoutTimeWaitEnds
      let row = try #require(rows.first { $0.transition == "established→fin_wait_1" })
      let stay = try #require(row.number("state_duration_ns"))
      #expect(row["duration_kind"] == "exact")
      #expect((closed.before - connected.after...closed.after - connected.before).contains(stay))
      let time = try #require(row.number("timestamp_unix_nano"))
      #expect(time <= seen && seen - time < 500_000_000, "the time of a row is the clock's")
      #expect(rows.allSatisfy { $0.number("state_duration_ns") ?? 0 < 20_000_000_000 })
      #expect(tracer.process.errorText.contains("0 lost, 0 unmatched"))
    }
  }
}
