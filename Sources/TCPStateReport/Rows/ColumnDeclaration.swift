// SPDX-License-Identifier: Apache-2.0

/// Everything that is documented of a column of a machine format.
public struct ColumnDeclaration: Sendable, Equatable {
  /// The name in CSV headers and in `--columns`: lower snake_case.
  public let name: String

  /// The name in JSON Lines.
  ///
  /// OpenTelemetry's where one exists (semantic conventions, `network.*` and `process.*`);
  /// else the CSV name in the namespace `tcp`.
  public let jsonName: String

  public let type: ColumnType
  /// `nil` for what isn't a quantity.
  public let unit: ColumnUnit?
  /// `nil` for what isn't a time or duration.
  public let clock: ColumnClock?
  /// One sentence.
  public let meaning: String

  /// - Parameter json: the JSON name, unless it is `tcp.` and the name.
  init(
    _ name: String, json: String? = nil, _ type: ColumnType, unit: ColumnUnit? = nil, clock: ColumnClock? = nil,
    _ meaning: String
  ) {
    self.name = name
    jsonName = json ?? "tcp.\(name)"
    self.type = type
    self.unit = unit
    self.clock = clock
    self.meaning = meaning
  }

  /// The same column where it means something slightly different.
  func with(meaning: String) -> ColumnDeclaration {
    ColumnDeclaration(name, json: jsonName, type, unit: unit, clock: clock, meaning)
  }
}
