// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// The columns of `summary` in the machine formats, in their order, behind those of its keys.
public enum SummaryField: Int, CaseIterable, Sendable {
  case isOther, state, stays, p50, p90, p99, longest, longestKind, total, totalKind, openNow, oldestOpen, oldestOpenKind

  public var declaration: ColumnDeclaration { Self.declarations[rawValue] }
  var csvName: String { declaration.name }
  var jsonName: String { declaration.jsonName }

  /// Whether it is in every row; CSV and JSON Lines have the group's columns only if there are groups.
  public var isAlwaysKnown: Bool { self == .state || self == .stays || self == .openNow }

  private static let declarations: [ColumnDeclaration] = [
    ColumnDeclaration(
      "is_other", .flag, "Whether this is the row of everything that has no group of its own; only with `--by`."),
    ColumnDeclaration("state", json: Column.stateNew.jsonName, .state, "State that the stays were in."),
    ColumnDeclaration("stays", .wideInteger, "Number of stays that have ended."),
    quantile("p50_ns", "The median"), quantile("p90_ns", "The 90th percentile"),
    quantile("p99_ns", "The 99th percentile"),
    ColumnDeclaration("longest_ns", .wideInteger, unit: .nanoseconds, clock: .monotonic, "The longest stay."),
    ColumnDeclaration(
      "longest_kind", .words(MachineWords.durationKindNames),
      "How well the longest stay is known: `at_least` is a lower bound."),
    ColumnDeclaration(
      "total_ns", .wideInteger, unit: .nanoseconds, clock: .monotonic, "Sum of the stays."),
    ColumnDeclaration(
      "total_kind", .words(MachineWords.durationKindNames), "How well that sum is known: `at_least` is a lower bound."),
    ColumnDeclaration(
      "open_now", .wideInteger, unit: .connections, "Sockets in the state when the summary was made."),
    ColumnDeclaration(
      "oldest_open_ns", .wideInteger, unit: .nanoseconds, clock: .realtime,
      "The longest that one of these had been in it by then."),
    ColumnDeclaration(
      "oldest_open_kind", .words(MachineWords.durationKindNames),
      "How well that is known: `at_least` is a lower bound."),
  ]

  private static func quantile(_ name: String, _ what: String) -> ColumnDeclaration {
    ColumnDeclaration(
      name, .wideInteger, unit: .nanoseconds, clock: .monotonic, "\(what) of the stays, within 1 % of the true value.")
  }
}
