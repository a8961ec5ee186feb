// SPDX-License-Identifier: Apache-2.0
import Glibc

/// A point in time after which a test stops waiting.
public struct Deadline: Sendable {
  private let end: UInt64

  public init(seconds: Double) {
    end = Clocks.monotonic() + UInt64(seconds * 1e9)
  }

  public var hasPassed: Bool { Clocks.monotonic() >= end }

  /// The time left, as a timeout for poll(2).
  public var milliseconds: Int32 {
    let now = Clocks.monotonic()
    return now >= end ? 0 : Int32(min(UInt64(Int32.max), (end - now) / 1_000_000 + 1))
  }
}

/// The kernel's clocks, in nanoseconds.
public enum Clocks {
  public static func monotonic() -> UInt64 { read(CLOCK_MONOTONIC) }
  public static func realtime() -> UInt64 { read(CLOCK_REALTIME) }

  private static func read(_ clock: clockid_t) -> UInt64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  /// Lets a time pass that is itself under test. Don't use it to wait for something to happen.
  public static func pass(milliseconds: UInt32) { usleep(milliseconds * 1000) }
}

/// A failure in a test's surroundings.
public struct TestFailure: Error, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }
}
