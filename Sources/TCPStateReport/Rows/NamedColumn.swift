// SPDX-License-Identifier: Apache-2.0

/// A column of a machine format that users choose by name.
public protocol NamedColumn: CaseIterable, Equatable, Sendable {
  /// What is written unless `--columns` says otherwise.
  static var defaults: [Self] { get }

  /// Its names, type, unit and meaning.
  var declaration: ColumnDeclaration { get }
}

extension NamedColumn {
  /// The name in CSV headers and in `--columns`: lower snake_case.
  public var csvName: String { declaration.name }
  /// The name in JSON Lines.
  public var jsonName: String { declaration.jsonName }
  public var type: ColumnType { declaration.type }
  /// `nil` for what isn't a quantity.
  public var unit: ColumnUnit? { declaration.unit }
  /// `nil` for what isn't a time or duration.
  public var clock: ColumnClock? { declaration.clock }
  /// One sentence.
  public var meaning: String { declaration.meaning }
  /// The words it can be; empty for what isn't a word.
  public var values: [String] { declaration.type.values }

  /// Reads the list of `--columns`: `default`, `all`, or names, comma separated,
  /// in the order in which they are written. Names may be CSV's or JSON's, in any case.
  public static func parse(_ list: some StringProtocol) throws(ColumnListError<Self>) -> [Self] {
    var columns: [Self] = []
    for part in list.split(separator: ",", omittingEmptySubsequences: false) {
      for column in try parse(item: part.lowercased().filter { $0 != " " }) {
        guard !columns.contains(column) else { throw .repeated(column) }
        columns.append(column)
      }
    }
    return columns
  }

  private static func parse(item: String) throws(ColumnListError<Self>) -> [Self] {
    switch item {
    case "": throw .empty
    case "default": return defaults
    case "all": return Array(allCases)
    default: break
    }
    if let column = allCases.first(where: { $0.csvName == item || $0.jsonName == item }) { return [column] }
    throw .unknown(name: item, nearest: nearest(to: item))
  }

  /// The column whose name is the fewest edits away, if those are few enough to be a slip.
  private static func nearest(to name: String) -> Self? {
    let name = Array(name.utf8.map { $0 == UInt8(ascii: "-") ? UInt8(ascii: "_") : $0 })
    var best: (column: Self, distance: Int)?
    for column in allCases {
      let candidate = Array(column.csvName.utf8)
      var distance = editDistance(name, candidate)
      // `state` is close to `state_new`, although many letters are missing.
      if name.count > 2, candidate.split(separator: 95).contains(name[...]) { distance = min(distance, 2) }
      if distance < best?.distance ?? .max { best = (column, distance) }
    }
    guard let best, best.distance <= max(2, name.count / 3) else { return nil }
    return best.column
  }

  /// The Levenshtein distance.
  private static func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var row = Array(0...b.count)
    for (i, x) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, y) in b.enumerated() {
        let change = diagonal + (x == y ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(change, row[j] + 1, diagonal + 1)
      }
    }
    return row[b.count]
  }
}
