// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TCPStateCore

/// When the kernel's timers fire: calc_wheel_index() and calc_index(), kernel/time/timer.c.
@Suite struct TimerWheelTests {
  /// Level n begins 63 << 3(n - 1) ticks away, and its slots have 8^n ticks; a slot ends before its timer may fire.
  @Test(arguments: 0...8) func levels(_ level: UInt64) {
    let first = level == 0 ? 0 : UInt64(63) << (3 * (level - 1))
    let slot = UInt64(1) << (3 * level)
    let expires = 1000 * slot
    var deltas = [first, first + 1]
    if level < 8 { deltas.append(63 << (3 * level) - 1) }
    for delta in deltas {
      #expect(TimerWheel.firing(expires: expires, delta: delta) == expires + slot, "\(delta)")
      #expect(TimerWheel.firing(expires: expires - 1, delta: delta) == expires, "\(delta)")
      #expect(TimerWheel.firing(expires: expires + slot - 1, delta: delta) == expires + slot, "\(delta)")
    }
  }

  /// The last level has no end.
  @Test func farAway() {
    #expect(TimerWheel.firing(expires: 5 << 24, delta: 63 << 24) == 6 << 24)
    #expect(TimerWheel.firing(expires: 5 << 24, delta: .max) == 6 << 24)
  }

  /// A reading late in its tick makes the origin later than it is: the earliest one stays.
  @Test func originIsTheEarliest() {
    var wheel = TimerWheel(ticksPerSecond: 250)
    #expect(wheel.tick == 4_000_000)
    #expect(wheel.time(ofJiffies: 10) == nil && wheel.jiffies(at: 10) == nil)
    wheel.observe(jiffies: 100, at: 1_403_000_000)
    #expect(wheel.time(ofJiffies: 100) == 1_403_000_000)
    wheel.observe(jiffies: 200, at: 1_801_000_000)
    #expect(wheel.time(ofJiffies: 100) == 1_401_000_000)
    wheel.observe(jiffies: 300, at: 2_203_500_000)
    #expect(wheel.time(ofJiffies: 100) == 1_401_000_000)
    #expect(wheel.jiffies(at: 1_401_000_000) == 100 && wheel.jiffies(at: 1_404_999_999) == 100)
    #expect(wheel.jiffies(at: 1_400_999_999) == 99 && wheel.jiffies(at: 1_405_000_000) == 101)
  }

  /// Jiffies begin five minutes before they wrap, so their zero lies before the clock's.
  @Test func originBeforeBoot() {
    var wheel = TimerWheel(ticksPerSecond: 1000)
    wheel.observe(jiffies: 4_294_667_296, at: 5_000_000)
    #expect(wheel.time(ofJiffies: 4_294_667_297) == 6_000_000)
    wheel.observe(jiffies: 4_294_667_298, at: 6_500_000)
    #expect(wheel.time(ofJiffies: 4_294_667_297) == 5_500_000)
    #expect(wheel.jiffies(at: 6_500_000) == 4_294_667_298)
  }
}
