// SPDX-License-Identifier: Apache-2.0
/// Which network namespaces have refused TIME-WAIT minisocks because there are too many (tcp_max_tw_buckets).
///
/// The kernel reports such a connection like any other that enters TIME-WAIT; only a counter of its namespace shows
/// the difference.
struct TimeWaitOverflows {
  /// The counters as of the last reading of the tables and the two before, the oldest first.
  private var readings: [[UInt32: UInt64]] = []
  /// Whether the counters of all namespaces have been read, so that one that is new began at 0.
  private var isComplete = false

  /// Takes in what a reading has found.
  ///
  /// - Parameters:
  ///   - counters: of the namespaces read so far.
  ///   - isComplete: whether that reading was of all namespaces.
  mutating func take(_ counters: [UInt32: UInt64], isComplete: Bool) {
    if !self.isComplete { readings = [] }
    if isComplete { self.isComplete = true }
    readings.append(counters)
    if readings.count > 3 { readings.removeFirst() }
  }

  /// How many minisocks a namespace has refused lately.
  ///
  /// Since two readings ago: the counter is read a little after a reading has begun, and what was refused in between
  /// is found gone by the next.
  func refused(in namespace: UInt32) -> UInt64 {
    guard isComplete, readings.count > 1, let now = readings.last?[namespace] else { return 0 }
    return now - min(readings[0][namespace] ?? 0, now)
  }
}
