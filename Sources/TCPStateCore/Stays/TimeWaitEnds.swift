// SPDX-License-Identifier: Apache-2.0

/// When TIME-WAITs must be over whose end isn't reported: in unreadable network namespaces, or beyond
/// `--max-connections`.
///
/// Times are nanoseconds of any one clock that is never set.
struct TimeWaitEnds {
  /// The longest TIME-WAIT: TCP_TIMEWAIT_LEN, 60 s, plus the slot of the timer wheel to which its timer is rounded
  /// up, 512 ticks: at most 5.12 s (HZ=100).
  static let longest: UInt64 = 66_000_000_000

  /// The connections that entered TIME-WAIT within one second.
  private struct Entered {
    let time: UInt64
    var connections: [UInt64]
  }

  private static let second: UInt64 = 1_000_000_000

  /// In the order of their times.
  private var entered: [Entered] = []

  /// Notes that a connection has entered TIME-WAIT.
  mutating func note(_ connection: UInt64, at now: UInt64) {
    if let last = entered.last, now < last.time + Self.second {
      entered[entered.count - 1].connections.append(connection)
    } else {
      entered.append(Entered(time: now, connections: [connection]))
    }
  }

  /// Passes each connection whose TIME-WAIT must be over to `body`, once.
  mutating func takeOver(at now: UInt64, _ body: (UInt64) -> Void) {
    while let first = entered.first, now >= first.time + Self.second + Self.longest {
      for connection in first.connections { body(connection) }
      entered.removeFirst()
    }
  }
}
