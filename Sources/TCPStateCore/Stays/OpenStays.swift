// SPDX-License-Identifier: Apache-2.0
/// Stays that haven't ended: sockets that are still in a state, and since when.
public struct OpenStays: Sendable, Equatable {
  /// How many sockets are in the state.
  public var count: UInt64 = 0
  /// The longest of their stays so far, in nanoseconds; `nil` if none is known.
  public var oldest: UInt64?
  /// Whether it is a lower bound.
  public var oldestIsLowerBound = false
  /// The sum of those that are known, saturating, in nanoseconds.
  public var total: UInt64 = 0

  public init() {}

  /// Adds a socket.
  ///
  /// - Parameter age: its stay so far; `nil` if it isn't known.
  public mutating func add(_ age: Stay?) {
    count += 1
    guard let age else { return }
    total = total.saturatingAdding(age.nanoseconds)
    take(age.nanoseconds, isLowerBound: age.kind == .atLeast)
  }

  /// Adds the sockets of another group.
  public mutating func add(_ other: OpenStays) {
    count += other.count
    total = total.saturatingAdding(other.total)
    if let oldest = other.oldest { take(oldest, isLowerBound: other.oldestIsLowerBound) }
  }

  private mutating func take(_ age: UInt64, isLowerBound: Bool) {
    if let oldest, oldest >= age {
      if oldest == age { oldestIsLowerBound = oldestIsLowerBound && isLowerBound }
    } else {
      (oldest, oldestIsLowerBound) = (age, isLowerBound)
    }
  }
}
