// SPDX-License-Identifier: Apache-2.0
import TCPStateReport

/// Durations such as `250ms`, `30s`, `5m`, `2h`, as tcpstate-trace takes them.
enum DurationOption {
  static func nanoseconds(_ text: String, option: String) throws -> UInt64 {
    guard let nanoseconds = DurationText.parse(text) else {
      throw Failure(.usage, "\(option): '\(text)' is not a duration such as 250ms, 30s, 5m or 2h")
    }
    return nanoseconds
  }
}
