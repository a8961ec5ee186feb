// SPDX-License-Identifier: Apache-2.0
/// How the time of a transition relates to when it really was.
public enum TimeKind: UInt8, Sendable, BitwiseCopyable, CaseIterable {
  /// Then, by the kernel's event.
  case exact
  /// Then or later: a reading of the tables showed only that it had happened, or a stamp has its grain.
  case atLeast
  /// Then or earlier.
  case atMost

  public var name: StaticString {
    switch self {
    case .exact: "exact"
    case .atLeast: "at_least"
    case .atMost: "at_most"
    }
  }
}
