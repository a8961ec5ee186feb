// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// What the machine formats have rows of.
public enum SchemaSubject: String, CaseIterable, Sendable {
  /// Transitions: `trace`, `--record`, and what `--read` takes.
  case rows
  /// Sockets, by `stuck`.
  case stuck
  /// States, by `summary`.
  case summary
  /// Reasons, by `summary --ends`.
  case ends

  /// All columns, in their order.
  public var columns: [ColumnDeclaration] {
    switch self {
    case .rows: Column.allCases.map(\.declaration)
    case .stuck: StuckField.allCases.map(\.declaration)
    case .summary: SummaryKey.allCases.map(\.declaration) + SummaryField.allCases.map(\.declaration)
    case .ends: SummaryKey.allCases.map(\.declaration) + EndField.allCases.map(\.declaration)
    }
  }

  /// Columns that are in every row, whatever the options.
  var required: [ColumnDeclaration] {
    switch self {
    case .rows, .stuck: []
    case .summary: SummaryField.allCases.filter(\.isAlwaysKnown).map(\.declaration)
    case .ends: EndField.allCases.filter { $0 != .isOther }.map(\.declaration)
    }
  }

  /// One line: what a row is.
  var meaning: String {
    switch self {
    case .rows: "One transition of one TCP socket from a state to another, or a socket that was found in a state."
    case .stuck: "One TCP socket that has been in its state for too long."
    case .summary: "The stays of all connections, or of a group of them, in one state."
    case .ends: "How many connections, of all or of a group of them, ended for one reason."
    }
  }
}
