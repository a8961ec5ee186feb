/// When TIME-WAITs must be over of which nobody tells the end, as in network namespaces out of reach, or beyond
/// `--max-connections`.
///
/// Times are nanoseconds of any one clock that isn't set.
struct TimeWaitEnds {
  /// TCP_TIMEWAIT_LEN, 60 s, and the slot of the timer wheel that its timer is rounded up to: 512 ticks, 5.12 s
  /// at the most (HZ=100).
  static let longest: UInt64 = 66_000_000_000

  /// What has come about within a second.
  private struct Entered {
    let time: UInt64
    var connections: [UInt64]
  }

  private static let second: UInt64 = 1_000_000_000

  /// In the order of time.
  private var entered: [Entered] = []

  /// A connection is in TIME-WAIT.
  mutating func note(_ connection: UInt64, at now: UInt64) {
    if let last = entered.last, now < last.time + Self.second {
      entered[entered.count - 1].connections.append(connection)
    } else {
      entered.append(Entered(time: now, connections: [connection]))
    }
  }

  /// Tells of those that must be over, once.
  mutating func takeOver(at now: UInt64, _ body: (UInt64) -> Void) {
    while let first = entered.first, now >= first.time + Self.second + Self.longest {
      for connection in first.connections { body(connection) }
      entered.removeFirst()
    }
  }
}
