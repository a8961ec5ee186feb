/// One line of the per-state table. Durations in nanoseconds; `nil` when there was no stay.
public struct StateSummary: Sendable {
  public var state: TCPState
  /// Stays that ended and whose length is known, if only from below.
  public var stays: UInt64 = 0
  public var p50: UInt64?
  public var p90: UInt64?
  public var p99: UInt64?
  public var longest: UInt64?
  public var total: UInt64?
  /// The longest stay is known from below only.
  public var longestIsLowerBound = false
  public var totalIsLowerBound = false
  /// Connections in this state at the end.
  public var openNow: UInt64 = 0

  public init(state: TCPState) {
    self.state = state
  }
}
