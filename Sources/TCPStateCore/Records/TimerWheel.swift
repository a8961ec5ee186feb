// SPDX-License-Identifier: Apache-2.0

/// When the kernel's timers are really due.
///
/// A `timer_list` fires late by design: the further away its expiry, the coarser the slot of the timer wheel, and a
/// timer never moves to a finer one (kernel/time/timer.c, since 4.8). That is why the 60 s of TIME-WAIT take up to 62 s
/// at HZ=250. The slot follows from the expiry, so once a timer has been read its due time is known. TIME-WAIT's timer
/// is also deferrable: on an idle CPU it waits until the CPU wakes for something else.
public struct TimerWheel: Sendable {
  /// Nanoseconds of one tick.
  public let tick: UInt64
  /// CLOCK_MONOTONIC of jiffies 0, modulo 2^64: the latest that is consistent with all readings.
  private var origin: UInt64?

  public init(ticksPerSecond: UInt64) {
    tick = 1_000_000_000 / ticksPerSecond
  }

  /// Takes in a reading of both clocks. One that comes late in its tick is less precise.
  public mutating func observe(jiffies: UInt64, at time: UInt64) {
    let candidate = time &- jiffies &* tick
    if let origin, Int64(bitPattern: candidate &- origin) >= 0 { return }
    origin = candidate
  }

  /// CLOCK_MONOTONIC at which a tick begins; `nil` before the first observation.
  public func time(ofJiffies jiffies: UInt64) -> UInt64? {
    origin.map { $0 &+ jiffies &* tick }
  }

  public func jiffies(at time: UInt64) -> UInt64? {
    origin.map { (time &- $0) / tick }
  }

  /// The tick at which a timer is due.
  ///
  /// - Parameters:
  ///   - expires: `timer_list.expires`.
  ///   - delta: ticks between its arming and `expires`.
  public static func firing(expires: UInt64, delta: UInt64) -> UInt64 {
    // LVL_CLK_SHIFT 3, LVL_SIZE 64: level n holds what is below 63 << 3n ticks away.
    var level: UInt64 = 0
    while level < 8, delta >= 63 << (3 * level) { level += 1 }
    let shift = 3 * level
    return (expires >> shift &+ 1) << shift
  }
}
