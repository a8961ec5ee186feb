// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent
import Glibc

/// The kernel's clocks in nanoseconds.
public enum KernelClock {
  /// CLOCK_MONOTONIC of the initial time namespace, the events' clock. This process may be in another one.
  public static func monotonic() -> UInt64 { read(CLOCK_MONOTONIC) &- offset }

  /// What this process's clock is ahead; 0 if that isn't known, which is a limit of its surroundings.
  private static let offset = UInt64(bitPattern: Surroundings.current.clockOffset ?? 0)

  /// CLOCK_REALTIME − CLOCK_MONOTONIC, from the tightest of three readings.
  public static func wallOffset() -> UInt64 {
    var best = UInt64.max
    var offset: UInt64 = 0
    for _ in 0..<3 {
      let before = monotonic()
      let wall = read(CLOCK_REALTIME)
      let after = monotonic()
      if after - before < best {
        best = after - before
        offset = wall &- (before + (after - before) / 2)
      }
    }
    return offset
  }

  /// CONFIG_HZ, from one reading of jiffies64, which begins at −300 s (INITIAL_JIFFIES, include/linux/jiffies.h) and
  /// runs with CLOCK_MONOTONIC.
  ///
  /// - Returns: `nil` around 300 s after boot, when the count is the same for all rates.
  static func ticksPerSecond(jiffies: UInt64, at time: UInt64) -> UInt64? {
    guard jiffies > 0 else { return nil }
    let seconds = Double(time) / 1e9 - 300
    guard abs(seconds) > 5 else { return nil }
    let ticks = Double(Int64(bitPattern: jiffies &- 1 << 32))
    return [100, 250, 300, 1000, 24, 48, 64, 128, 256, 512, 1024, 1200]
      .min { abs(ticks / seconds - $0) < abs(ticks / seconds - $1) }
      .map { UInt64($0) }
  }

  public static func sleep(nanoseconds: UInt64) {
    var time = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    nanosleep(&time, nil)
  }

  /// CPU time of this process.
  public static func processCPU() -> UInt64 { read(CLOCK_PROCESS_CPUTIME_ID) }

  /// CONFIG_HZ, from the jiffies in a snapshot.
  public static func ticksPerSecond(_ snapshot: tcpstate_snapshot) -> UInt64? {
    ticksPerSecond(jiffies: snapshot.jiffies, at: snapshot.event.timestamp_ns)
  }

  private static func read(_ clock: clockid_t) -> UInt64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
