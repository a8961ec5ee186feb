// SPDX-License-Identifier: Apache-2.0

/// The JSON Schema (draft 2020-12) of a row of JSON Lines, from the declarations of its columns.
///
/// It is exact for this version: a member that isn't a column is refused. A column that isn't
/// known, or that `--columns` leaves out, is absent, so few are required.
public struct JSONSchema {
  private let root: JSONNode

  public init(_ subject: SchemaSubject) {
    var members: [(String, JSONNode)] = [
      ("$schema", .string("https://json-schema.org/draft/2020-12/schema")),
      ("title", .string("tcpstate-trace \(subject.rawValue)")),
      ("description", .string(subject.meaning)),
      ("type", .string("object")),
      ("properties", .object(subject.columns.map { ($0.jsonName, Self.property($0)) })),
    ]
    let required = subject.required
    if !required.isEmpty { members.append(("required", .strings(required.map(\.jsonName)))) }
    members.append(("additionalProperties", .bool(false)))
    root = .object(members)
  }

  /// Appends the schema, indented, and a line end.
  public func append(to buffer: inout ByteBuffer) {
    root.append(to: &buffer)
    buffer.append("\n")
  }

  /// The CSV name as its title, meaning and unit as its description, and what values it can have.
  private static func property(_ column: ColumnDeclaration) -> JSONNode {
    .object([("title", .string(column.name)), ("description", .string(column.sentence))] + constraints(column.type))
  }

  private static func constraints(_ type: ColumnType) -> [(String, JSONNode)] {
    switch type {
    case .time:
      [
        ("type", .string("string")), ("format", .string("date-time")),
        ("pattern", .string("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{9}Z$")),
      ]
    case .integer(let range):
      [
        ("type", .string("integer")), ("minimum", .number(range.lowerBound)), ("maximum", .number(range.upperBound)),
      ]
    case .wideInteger: string(pattern: "^(0|[1-9][0-9]{0,19})$")
    case .identifier: string(pattern: "^[0-9a-f]{16}$")
    case .hexadecimal: string(pattern: "^[0-9a-f]{1,16}$")
    case .word(let words): [("type", .string("string")), ("enum", .strings(words))]
    case .state:
      [
        ("type", .string("string")),
        (
          "anyOf",
          .array([
            .object([("enum", .strings(type.values))]),
            .object([("pattern", .string("^unknown_[0-9]{1,3}$"))]),
          ])
        ),
      ]
    case .name, .text: [("type", .string("string")), ("minLength", .number(1))]
    case .address:
      [
        ("type", .string("string")),
        ("anyOf", .array(["ipv4", "ipv6"].map { .object([("format", .string($0))]) })),
        ("pattern", .string("^[0-9a-f:.]+$")),
      ]
    case .endpoint: string(pattern: "^([0-9.]+|\\[[0-9a-f:.]+\\]):([0-9]+|\\*)$")
    case .flag: [("const", .bool(true))]
    case .holders: [("type", .string("array")), ("minItems", .number(1)), ("items", holder)]
    }
  }

  private static func string(pattern: String) -> [(String, JSONNode)] {
    [("type", .string("string")), ("pattern", .string(pattern))]
  }

  private static var holder: JSONNode {
    let pid = Column.processPID.jsonName
    let name = Column.processName.jsonName
    let (number, text) = (JSONNode.object(constraints(.integer32)), JSONNode.object([("type", .string("string"))]))
    return .object([
      ("type", .string("object")),
      ("properties", .object([(pid, number), (name, text), ("fd", number)])),
      ("required", .strings([pid, name])),
      ("additionalProperties", .bool(false)),
    ])
  }
}

extension ColumnDeclaration {
  /// Its meaning with its unit.
  var sentence: String { unit.map { "\(meaning) Unit: \($0.rawValue)." } ?? meaning }
}
