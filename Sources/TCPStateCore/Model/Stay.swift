// SPDX-License-Identifier: Apache-2.0

/// How long a socket was in a state.
public struct Stay: Hashable, Sendable, BitwiseCopyable {
  public var nanoseconds: UInt64
  public var kind: DurationKind

  @inlinable
  public init(nanoseconds: UInt64, kind: DurationKind) {
    self.nanoseconds = nanoseconds
    self.kind = kind
  }
}

/// How well the length of a stay is known.
public enum DurationKind: UInt8, Sendable, BitwiseCopyable {
  case exact
  /// A true lower bound: the beginning wasn't seen, or events were lost.
  case atLeast

  public var name: StaticString {
    switch self {
    case .exact: "exact"
    case .atLeast: "at_least"
    }
  }
}
