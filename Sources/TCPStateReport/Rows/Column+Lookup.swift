// SPDX-License-Identifier: Apache-2.0
extension Column: NamedColumn {
  /// What is written unless `--columns` says otherwise: everything up to `retransmits`.
  public static let defaults = Array(allCases.prefix(RowColumn.defaults.count))

  public var declaration: ColumnDeclaration { RowColumn.all[rawValue].declaration }

  /// Whether it is written unless `--columns` says otherwise.
  public var isDefault: Bool { rawValue < RowColumn.defaults.count }

  /// Whether it names a container, a pod or a unit, which the live source only does if it is asked to.
  public var isOfWorkload: Bool { rawValue >= Column.containerID.rawValue && rawValue <= Column.unit.rawValue }

  /// Where a transition stores it.
  var field: StoredField { RowColumn.all[rawValue].field }

  /// The column of a CSV name; `nil` if there is none.
  public init?(csvName: some StringProtocol) {
    guard let column = Self.byCSVName[String(csvName)] else { return nil }
    self = column
  }

  /// The column of a JSON name; `nil` if there is none.
  public init?(jsonName: some StringProtocol) {
    guard let column = Self.byJSONName[String(jsonName)] else { return nil }
    self = column
  }

  private static let byCSVName = Dictionary(allCases.map { ($0.csvName, $0) }, uniquingKeysWith: { first, _ in first })
  private static let byJSONName = Dictionary(
    allCases.map { ($0.jsonName, $0) }, uniquingKeysWith: { first, _ in first })
}
