/// Why a list of columns can't be used.
public enum ColumnListError<Column: NamedColumn>: Error, Equatable, Sendable {
  /// No such column; `nearest` is what may have been meant.
  case unknown(name: String, nearest: Column?)
  /// Readers take columns by name, so each may appear once.
  case repeated(Column)
  /// Nothing, or nothing between two commas.
  case empty
}

extension ColumnListError: CustomStringConvertible {
  /// One line: what is wrong and what to do.
  public var description: String {
    switch self {
    case .unknown(let name, let nearest?):
      "no column '\(name)'; did you mean '\(nearest.listName)'?"
    case .unknown(let name, nil):
      "no column '\(name)'; the columns are \(Column.allCases.map(\.listName).joined(separator: ", "))"
    case .repeated(let column): "column '\(column.listName)' is listed twice"
    case .empty: "an empty name in the list of columns; give 'default', 'all' or names"
    }
  }
}
