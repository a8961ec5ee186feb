// SPDX-License-Identifier: Apache-2.0

/// One line of the table of states. Durations are nanoseconds; `nil` if there was no stay.
public struct StateSummary: Sendable {
  public var state: TCPState
  /// Stays that ended with a known length or a lower bound for it.
  public var stays: UInt64 = 0
  public var p50: UInt64?
  public var p90: UInt64?
  public var p99: UInt64?
  public var longest: UInt64?
  public var total: UInt64?
  /// Whether `longest` is a lower bound.
  public var longestIsLowerBound = false
  public var totalIsLowerBound = false
  /// Connections in this state now.
  public var openNow: UInt64 = 0
  /// The longest that one of these has been in it so far; `nil` if not known.
  public var oldestOpen: UInt64?
  public var oldestOpenIsLowerBound = false

  public init(state: TCPState) {
    self.state = state
  }
}
