// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent

/// When a minisock entered TIME-WAIT, as far as one reading of it shows: between two times, CLOCK_MONOTONIC nanoseconds.
///
/// Two things of the minisock date it (tcp_timewait_state_process(), net/ipv4/tcp_minisocks.c), and neither always does:
///
/// - Its entry stamp, in whole milliseconds (Linux 6.14), is set when the minisock is made, perhaps in FIN-WAIT-2. The
///   FIN sets it anew, but only if it has a TCP timestamp.
/// - Its timer is armed for 60 s by the FIN, and again by each segment that the peer repeats later.
struct TimeWaitEntry: Equatable {
  /// TCP_TIMEWAIT_LEN, include/net/tcp.h.
  static let seconds: UInt64 = 60
  /// The grain of the entry stamp.
  static let stampGrain: UInt64 = 1_000_000
  /// Where a state's beginning is known as closely as this, its length counts as exact, in nanoseconds.
  static let tolerance: UInt64 = 50_000_000

  let earliest: UInt64
  let latest: UInt64

  var width: UInt64 { latest - earliest }
  var isClose: Bool { width <= Self.tolerance }

  private init(earliest: UInt64, latest: UInt64) {
    self.earliest = min(earliest, latest)
    self.latest = latest
  }

  /// - Parameters:
  ///   - snapshot: of a minisock in TIME-WAIT.
  ///   - before: a time until which it wasn't in TIME-WAIT; 0 if none is known.
  ///   - made: when the minisock was made, in FIN-WAIT-2; `nil` if that isn't known.
  init(
    _ snapshot: UnsafePointer<tcpstate_snapshot>, ticksPerSecond: UInt64?, before: UInt64 = 0, made: UInt64? = nil
  ) {
    let now = snapshot.pointee.event.timestamp_ns
    let stamp = Self.stamp(snapshot)
    let armed = Self.armed(snapshot, ticksPerSecond: ticksPerSecond)
    if let stamp, let made, stamp > made {
      // Set after the minisock was made, and so by the FIN.
      self.init(earliest: max(before, stamp), latest: min(stamp + Self.stampGrain, now))
      return
    }
    let first = max(before, stamp ?? 0)
    guard let armed else {
      // The stamp is that of the FIN, or that can't be known.
      self.init(earliest: first, latest: made == nil ? stamp.map { min($0 + Self.stampGrain, now) } ?? now : now)
      return
    }
    let latest = min(max(armed.upperBound, first), now)
    // A peer repeats its FIN only after some time, so what is this close to the first armed the timer.
    let isFirst = latest - min(first, latest) <= Self.tolerance && first > 0
    self.init(earliest: isFirst ? max(first, armed.lowerBound) : first, latest: latest)
  }

  /// The beginning of the millisecond of the entry stamp; `nil` if the kernel has none, or it makes no sense.
  static func stamp(_ snapshot: UnsafePointer<tcpstate_snapshot>) -> UInt64? {
    guard EventRecord(snapshot).has(TCPSTATE_FLAG_HAS_ENTRY_STAMP) else { return nil }
    let now = snapshot.pointee.event.timestamp_ns / 1_000_000
    let age = UInt32(truncatingIfNeeded: now) &- snapshot.pointee.entry_stamp_ms
    guard age < 1 << 31, age <= now else { return nil }
    return (now - UInt64(age)) * 1_000_000
  }

  /// When the timer was last armed for 60 s, to within a tick each way; `nil` if that isn't known.
  private static func armed(
    _ snapshot: UnsafePointer<tcpstate_snapshot>, ticksPerSecond: UInt64?
  ) -> ClosedRange<UInt64>? {
    guard let ticks = ticksPerSecond, ticks > 0, snapshot.pointee.timer_expires != 0 else { return nil }
    let now = snapshot.pointee.event.timestamp_ns
    let age = snapshot.pointee.jiffies &- (snapshot.pointee.timer_expires &- seconds * ticks)
    guard age <= seconds * ticks * 2 else { return nil }
    let tick = 1_000_000_000 / ticks
    return (now - min((age + 1) * tick, now))...(now - min((age > 0 ? age - 1 : 0) * tick, now))
  }
}
