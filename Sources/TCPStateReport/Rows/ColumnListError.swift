// SPDX-License-Identifier: Apache-2.0

/// Why a list of columns is refused.
public enum ColumnListError<Column: NamedColumn>: Error, Equatable, Sendable {
  /// There is no such column; `nearest` is what may have been meant.
  case unknown(name: String, nearest: Column?)
  /// Readers take columns by name, so each may appear once.
  case repeated(Column)
  /// The list, or a part between two commas, is empty.
  case empty
}

extension ColumnListError: CustomStringConvertible {
  /// One line: what is wrong, and what to do.
  public var description: String {
    switch self {
    case .unknown(let name, let nearest?):
      "no column '\(name)'; did you mean '\(nearest.csvName)'?"
    case .unknown(let name, nil):
      "no column '\(name)'; the columns are \(Column.allCases.map(\.csvName).joined(separator: ", "))"
    case .repeated(let column): "column '\(column.csvName)' is listed twice"
    case .empty: "the list of columns has an empty name; give 'default', 'all' or names"
    }
  }
}
