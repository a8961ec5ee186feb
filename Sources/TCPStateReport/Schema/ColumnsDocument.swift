// SPDX-License-Identifier: Apache-2.0

/// The documentation of every column, from the declarations: the page `docs/columns.md`, and entries for manual pages.
public struct ColumnsDocument {
  private let subjects: [SchemaSubject]

  /// - Parameter subjects: the sections of the page.
  public init(_ subjects: [SchemaSubject] = SchemaSubject.allCases) {
    self.subjects = subjects
  }

  /// Names and texts of a subject's columns, for the section FIELDS of a manual page.
  ///
  /// The text is the meaning, then the unit, the words and the JSON name as far as there are any; plain
  /// text with words of the formats in backquotes.
  public static func fields(of subject: SchemaSubject) -> [(name: String, text: String)] {
    subject.columns.map { column in
      let words = column.type.values.isEmpty ? "" : " One of \(column.type.values.joined(separator: ", "))."
      return (column.name, "\(column.sentence)\(words) JSON: `\(column.jsonName)`.")
    }
  }

  /// Appends the page as Markdown.
  public func append(to buffer: inout ByteBuffer) {
    buffer.append(Self.beginning)
    for subject in subjects {
      buffer.append("\n## \(Self.title(subject))\n\n\(Self.introduction(subject))\n")
      if subject == .rows {
        appendTable(Column.defaults.map(\.declaration), to: &buffer)
        buffer.append("\n`--columns all` adds, in this order:\n")
        appendTable(Column.allCases.filter { !$0.isDefault }.map(\.declaration), to: &buffer)
      } else {
        appendTable(subject.columns, to: &buffer)
      }
    }
    appendWords(to: &buffer)
    buffer.append(Self.types)
  }

  private func appendTable(_ columns: [ColumnDeclaration], to buffer: inout ByteBuffer) {
    buffer.append("\n| Column | JSON Lines | Type | Unit | Meaning |\n|---|---|---|---|---|\n")
    for column in columns {
      var meaning = column.meaning
      if let clock = column.clock { meaning += " Clock: `\(clock.rawValue)`." }
      let cells = ["`\(column.name)`", "`\(column.jsonName)`", column.type.noun, column.unit?.rawValue ?? "", meaning]
      buffer.append("| \(cells.map(Self.escaped).joined(separator: " | ")) |\n")
    }
  }

  /// The words of each column that has any, once for all columns with the same ones.
  private func appendWords(to buffer: inout ByteBuffer) {
    var groups: [(words: [String], names: [String])] = []
    for column in subjects.flatMap(\.columns) where !column.type.values.isEmpty {
      if let index = groups.firstIndex(where: { $0.words == column.type.values }) {
        if !groups[index].names.contains(column.name) { groups[index].names.append(column.name) }
      } else {
        groups.append((column.type.values, [column.name]))
      }
    }
    buffer.append("\n## Words\n\n| Columns | Words |\n|---|---|\n")
    for group in groups {
      let cells = [group.names, group.words].map { $0.map { "`\($0)`" }.joined(separator: ", ") }
      buffer.append("| \(cells.map(Self.escaped).joined(separator: " | ")) |\n")
    }
  }

  private static func escaped(_ cell: String) -> String {
    cell.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
  }
}

// MARK: - Text

extension ColumnsDocument {
  private static let beginning = """
    # Columns

    The columns of the machine formats, `--format csv` and `--format jsonl`. `tcpstate-trace schema
    --format markdown` prints this page, and `tcpstate-trace schema` the JSON Schema of a row.

    A value that isn't known is an empty cell in CSV and absent in JSON Lines; it is never 0.

    """

  private static func title(_ subject: SchemaSubject) -> String {
    switch subject {
    case .rows: "Rows"
    case .stuck: "stuck"
    case .summary: "summary"
    case .ends: "summary --ends"
    }
  }

  private static func introduction(_ subject: SchemaSubject) -> String {
    switch subject {
    case .rows:
      "A row is one transition. `trace` and `--record` write them, and every command reads them with `--read`. By default:"
    case .stuck: "A row is one socket."
    case .summary: "A row is one state, or with `--by` one group and state. The columns of the groups come first."
    case .ends: "A row is one reason, or with `--by` one group and reason. The columns of the groups come first."
    }
  }

  private static let types = """

    ## Types

    | Type | CSV | JSON Lines |
    |---|---|---|
    | time | RFC 3339 in UTC with nine digits of a second, `2026-11-23T21:12:03.204131000Z` | string |
    | integer | decimal digits | number |
    | 64-bit integer | decimal digits | string, because many readers round beyond 2^53 |
    | identifier | 16 hexadecimal digits | string |
    | hexadecimal | up to 16 hexadecimal digits | string |
    | word | one of the words above | string |
    | state | one of the words above; `unknown_14` for a kernel state without a name | string |
    | name | at most 16 bytes as the kernel keeps them, in quotes if needed (RFC 4180) | string; bytes that aren't UTF-8 become U+FFFD |
    | text | any text, in quotes if needed | string |
    | address | IPv4, also for v4-mapped addresses; IPv6 as in RFC 5952 | string |
    | endpoint | `10.0.0.5:80`, `[2001:db8::1]:443` | string |
    | flag | `1` or `0` | `true`, or absent |
    | processes | `name/pid:fd`, separated by spaces | array of objects with `process.pid`, `process.executable.name` and `fd` |

    """
}

extension ColumnType {
  fileprivate var noun: String {
    switch self {
    case .time: "time"
    case .integer: "integer"
    case .wideInteger: "64-bit integer"
    case .identifier: "identifier"
    case .hexadecimal: "hexadecimal"
    case .word: "word"
    case .state: "state"
    case .name: "name"
    case .text: "text"
    case .address: "address"
    case .endpoint: "endpoint"
    case .flag: "flag"
    case .holders: "processes"
    }
  }
}
