// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// What kind of value a column holds.
///
/// In CSV every value is its text. In JSON Lines `integer` is a number, `flag` is `true` or absent,
/// `holders` is an array of objects, and everything else is a string.
public enum ColumnType: Sendable, Equatable {
  /// A moment in UTC: RFC 3339 with nine digits of a fraction and `Z`.
  case time
  /// An unsigned integer that JSON readers keep exactly.
  case integer(ClosedRange<UInt64>)
  /// An unsigned integer of 64 bits: a string in JSON, because many readers round beyond 2^53.
  case wideInteger
  /// Sixteen lower-case hexadecimal digits.
  case identifier
  /// Up to sixteen lower-case hexadecimal digits, the most significant first.
  case hexadecimal
  /// One of these.
  case word([String])
  /// A state's machine name, or `unknown_N` for a kernel number that has no name.
  case state
  /// Foreign text of at most 16 bytes, such as a process's name.
  case name
  /// Foreign text of any length, such as a path.
  case text
  /// An IP address: dotted IPv4, also for v4-mapped addresses, or IPv6 as in RFC 5952.
  case address
  /// An address and a port, as `ss` writes them: `10.0.0.5:80`, `[2001:db8::1]:443`.
  case endpoint
  /// `1` or `0`; in JSON `true` or absent.
  case flag
  /// Processes with their descriptors: `name/pid:fd` separated by spaces; an array of objects in JSON.
  case holders

  public static let integer32 = ColumnType.integer(0...UInt64(UInt32.max))
  public static let port = ColumnType.integer(1...UInt64(UInt16.max))

  /// One of an enumeration's words, `unknown` last.
  static func words(_ names: [String]) -> ColumnType {
    .word(names.filter { $0 != "unknown" } + names.filter { $0 == "unknown" })
  }

  /// The words it can be; empty for what isn't a word.
  public var values: [String] {
    switch self {
    case .word(let words): words
    case .state: TCPState.all.map { $0.name(.openTelemetry) }
    default: []
    }
  }
}

/// What a column's number counts.
public enum ColumnUnit: String, CaseIterable, Sendable {
  case nanoseconds, microseconds, bytes, packets, segments, connections, requests
}

/// The clock of a column's time or duration.
public enum ColumnClock: String, CaseIterable, Sendable {
  /// The time of day; it can be set.
  case realtime = "CLOCK_REALTIME"
  /// Time since boot without suspension; it can't be set.
  case monotonic = "CLOCK_MONOTONIC"
}
