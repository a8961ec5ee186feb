// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// The part `rate_limit` of the file: a bucket of tokens, one of which a request takes.
package struct RateLimit: Sendable, Equatable {
  /// A token is added this often.
  package let interval: TimeAmount
  /// Tokens it holds at most.
  package let burst: Int

  /// The tokens that are left.
  package struct Bucket {
    private let limit: RateLimit
    /// Nanoseconds worth of tokens.
    private var level: Int64
    private var filledAt: NIODeadline

    package init(_ limit: RateLimit, at now: NIODeadline) {
      self.limit = limit
      level = limit.capacity
      filledAt = now
    }

    /// Takes a token; false if there is none.
    package mutating func take(at now: NIODeadline) -> Bool {
      level = min(limit.capacity, level + (now - filledAt).nanoseconds)
      filledAt = now
      guard level >= limit.interval.nanoseconds else { return false }
      level -= limit.interval.nanoseconds
      return true
    }
  }

  package init(interval: TimeAmount, burst: Int) {
    self.interval = interval
    self.burst = burst
  }

  private var capacity: Int64 { interval.nanoseconds * Int64(burst) }
}
