import CTCPStateEvent

/// The stays that the kernel side has counted itself, per state, of all CPUs together.
///
/// Its buckets are four times as wide as `DurationHistogram`'s: quantiles are within 1.6 %.
public struct AggregatedStays: Sendable {
  /// The stays in one state.
  public struct State: Sendable {
    public fileprivate(set) var count: UInt64 = 0
    /// Of these, known from below only.
    public fileprivate(set) var atLeast: UInt64 = 0
    /// Nanoseconds, saturating.
    public fileprivate(set) var total: UInt64 = 0
    public fileprivate(set) var longest: UInt64 = 0
    public fileprivate(set) var longestIsLowerBound = false
    fileprivate var buckets = [UInt64](repeating: 0, count: AggregatedStays.bucketCount)
    /// How many entered the state less how many left it, since attached.
    public fileprivate(set) var opened: Int64 = 0
  }

  static let bucketCount = Int(TCPSTATE_STAY_BUCKETS)

  private var states = [State](repeating: State(), count: TCPState.arraySize)
  public private(set) var transitions: UInt64 = 0
  /// Transitions whose old state wasn't the one that was known.
  public private(set) var unmatched: UInt64 = 0
  /// Sockets that there was no room to remember.
  public private(set) var untracked: UInt64 = 0
  /// Orphans in FIN-WAIT-2 that the kernel went on with in a minisock, whose end isn't seen.
  public private(set) var minisocks: UInt64 = 0

  public init() {}

  public subscript(state: TCPState) -> State {
    state.isKnown ? states[Int(state.number)] : State()
  }

  /// Adds one CPU's stays in the state of that number.
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
    // Safe: the member is an array of that many, which Swift sees as a tuple.
    let buckets = UnsafeRawPointer(stays).advanced(by: offset).assumingMemoryBound(to: UInt64.self)
    for bucket in 0..<Self.bucketCount { states[number].buckets[bucket] += buckets[bucket] }
  }

  /// Adds what one CPU has seen.
  public mutating func add(_ tally: UnsafePointer<tcpstate_tally>) {
    transitions += tally.pointee.transitions
    unmatched += tally.pointee.unmatched
    untracked += tally.pointee.untracked
    minisocks += tally.pointee.minisocks
    withUnsafeBytes(of: tally.pointee.open) { bytes in
      for (number, opened) in bytes.bindMemory(to: Int64.self).enumerated() where number < states.count {
        // NEW_SYN_RECV has its own number in the kernel only.
        states[Int(TCPState(number: UInt8(number)).number)].opened += opened
      }
    }
  }

  /// The smallest value of a bucket.
  static func lowerBound(ofBucket bucket: Int) -> UInt64 {
    if bucket < 64 { return UInt64(bucket) }
    let exponent = (bucket - 64) / 32 + 6
    return UInt64(32 + (bucket - 64) % 32) << UInt64(exponent - 5)
  }

  /// What stands for all values of a bucket: its middle.
  fileprivate static func middle(ofBucket bucket: Int) -> UInt64 {
    let low = lowerBound(ofBucket: bucket)
    guard bucket >= 64 else { return low }
    // Wrapping: behind the last bucket is 2^64.
    return low + (lowerBound(ofBucket: bucket + 1) &- low) / 2
  }
}

extension AggregatedStays.State {
  /// Tells how many stays there are of about `middle` nanoseconds, shortest first.
  public func forEach(_ body: (_ middle: UInt64, _ number: UInt64) -> Void) {
    for (bucket, number) in buckets.enumerated() where number > 0 {
      body(min(longest, AggregatedStays.middle(ofBucket: bucket)), number)
    }
  }
}
