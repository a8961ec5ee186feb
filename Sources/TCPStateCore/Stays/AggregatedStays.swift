// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent

/// The stays that the kernel side has counted itself, per state, summed over all CPUs.
///
/// Its buckets are four times as wide as those of `DurationHistogram`: quantiles are within 1.6 %.
public struct AggregatedStays: Sendable {
  /// The stays in one state.
  public struct State: Sendable {
    public fileprivate(set) var count: UInt64 = 0
    /// Of these, how many are lower bounds.
    public fileprivate(set) var atLeast: UInt64 = 0
    /// Nanoseconds, saturating.
    public fileprivate(set) var total: UInt64 = 0
    /// Nanoseconds.
    public fileprivate(set) var longest: UInt64 = 0
    public fileprivate(set) var longestIsLowerBound = false
    fileprivate var buckets = [UInt64](repeating: 0, count: AggregatedStays.bucketCount)
    /// How many sockets entered the state minus how many left it, since the tracer was attached.
    public fileprivate(set) var opened: Int64 = 0
  }

  static let bucketCount = Int(TCPSTATE_STAY_BUCKETS)

  private var states = [State](repeating: State(), count: TCPState.arraySize)
  public private(set) var transitions: UInt64 = 0
  /// Transitions whose old state wasn't the known one.
  public private(set) var unmatched: UInt64 = 0
  /// Sockets that the kernel side had no room to remember.
  public private(set) var untracked: UInt64 = 0
  /// Orphans in FIN-WAIT-2 that the kernel continued as minisocks, whose end isn't seen. Their stays until then are
  /// counted as lower bounds.
  public private(set) var minisocks: UInt64 = 0

  public init() {}

  public subscript(state: TCPState) -> State {
    state.isKnown ? states[Int(state.number)] : State()
  }

  /// Adds one CPU's stays in the state with that kernel number.
  public mutating func add(_ stays: UnsafePointer<tcpstate_stays>, state number: Int) {
    guard states.indices.contains(number) else { return }
    states[number].count += stays.pointee.count
    states[number].atLeast += stays.pointee.at_least
    states[number].total = states[number].total.saturatingAdding(stays.pointee.total_ns)
    if stays.pointee.longest_ns > states[number].longest {
      states[number].longest = stays.pointee.longest_ns
      states[number].longestIsLowerBound = stays.pointee.longest_at_least != 0
    }
    let offset = MemoryLayout<tcpstate_stays>.offset(of: \.buckets) ?? 0
    // Safe because the member is an array of that many, which Swift imports as a tuple.
    let buckets = UnsafeRawPointer(stays).advanced(by: offset).assumingMemoryBound(to: UInt64.self)
    for bucket in 0..<Self.bucketCount { states[number].buckets[bucket] += buckets[bucket] }
  }

  /// Adds one CPU's counters.
  public mutating func add(_ tally: UnsafePointer<tcpstate_tally>) {
    transitions += tally.pointee.transitions
    unmatched += tally.pointee.unmatched
    untracked += tally.pointee.untracked
    minisocks += tally.pointee.minisocks
    withUnsafeBytes(of: tally.pointee.open) { bytes in
      for (number, opened) in bytes.bindMemory(to: Int64.self).enumerated() where number < states.count {
        // Only the kernel has a number of its own for NEW_SYN_RECV.
        states[Int(TCPState(number: UInt8(number)).number)].opened += opened
      }
    }
  }

  /// The smallest value in a bucket.
  static func lowerBound(ofBucket bucket: Int) -> UInt64 {
    if bucket < 64 { return UInt64(bucket) }
    let exponent = (bucket - 64) / 32 + 6
    return UInt64(32 + (bucket - 64) % 32) << UInt64(exponent - 5)
  }

  /// The middle of a bucket, which represents all of its values.
  fileprivate static func middle(ofBucket bucket: Int) -> UInt64 {
    let low = lowerBound(ofBucket: bucket)
    guard bucket >= 64 else { return low }
    // Wrapping, because the bound after the last bucket is 2^64.
    return low + (lowerBound(ofBucket: bucket + 1) &- low) / 2
  }
}

extension AggregatedStays.State {
  /// Visits the buckets in use, shortest first: `number` stays of about `middle` nanoseconds.
  public func forEach(_ body: (_ middle: UInt64, _ number: UInt64) -> Void) {
    for (bucket, number) in buckets.enumerated() where number > 0 {
      body(min(longest, AggregatedStays.middle(ofBucket: bucket)), number)
    }
  }
}
