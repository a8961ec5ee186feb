// SPDX-License-Identifier: Apache-2.0

/// CSV by RFC 4180, read strictly so that tests can rely on it.
public struct CSVTable {
  public struct Row {
    public let fields: [String: String]

    /// Empty when unknown. A column that doesn't exist is a mistake in the test.
    public subscript(column: String) -> String {
      guard let value = fields[column] else { preconditionFailure("no column \(column)") }
      return value
    }

    public func number(_ column: String) -> UInt64? { UInt64(self[column]) }

    /// `established→close_wait`
    public var transition: String { "\(self["state_old"])→\(self["state_new"])" }
  }

  public let header: [String]
  public let rows: [Row]
  /// Whether the last row is incomplete: no line end, or too few fields.
  public let isCut: Bool

  public init(_ bytes: [UInt8]) throws {
    var records: [[String]] = []
    var fields: [String] = []
    var field: [UInt8] = []
    var quoted = false
    var index = 0
    while index < bytes.count {
      let byte = bytes[index]
      if quoted {
        if byte != 0x22 {
          field.append(byte)
        } else if index + 1 < bytes.count, bytes[index + 1] == 0x22 {
          field.append(0x22)
          index += 1
        } else {
          quoted = false
        }
      } else {
        switch byte {
        case 0x22:
          guard field.isEmpty else { throw TestFailure("a quote inside a field, at byte \(index)") }
          quoted = true
        case 0x2c, 0x0a:
          fields.append(String(decoding: field, as: UTF8.self))
          field = []
          if byte == 0x0a {
            records.append(fields)
            fields = []
          }
        default: field.append(byte)
        }
      }
      index += 1
    }
    isCut = quoted || !field.isEmpty || !fields.isEmpty
    header = records.first ?? []
    var rows: [Row] = []
    for record in records.dropFirst() {
      guard record.count == header.count else {
        throw TestFailure("\(record.count) fields instead of \(header.count): \(record)")
      }
      rows.append(Row(fields: Dictionary(uniqueKeysWithValues: zip(header, record))))
    }
    self.rows = rows
  }
}

extension [CSVTable.Row] {
  /// The rows of each connection, in the order of their first rows.
  public var byConnection: [[CSVTable.Row]] {
    var order: [String] = []
    var groups: [String: [CSVTable.Row]] = [:]
    for row in self {
      if groups[row["connection_id"]] == nil { order.append(row["connection_id"]) }
      groups[row["connection_id"], default: []].append(row)
    }
    return order.compactMap { groups[$0] }
  }

  /// Without rows that say whose a connection is, which depend on how long it was idle.
  public var transitions: [String] { withoutOwners.map(\.transition) }

  /// The rows that are transitions.
  public var withoutOwners: [CSVTable.Row] {
    filter { $0["state_old"] != $0["state_new"] || $0["source"] != "snapshot" }
  }

  /// All rows except the ends of TIME-WAIT, whose time depends on timers.
  ///
  /// An orphan's step from FIN-WAIT-2 to TIME-WAIT stays: it comes from an event or is derived, depending on
  /// timing, because close() in FIN-WAIT-2 leaves a minisock at once.
  public var withoutTimeWaitEnds: [CSVTable.Row] {
    filter { $0["source"] != "derived" || $0.transition != "time_wait→closed" }
  }

  public func role(_ role: String) -> [CSVTable.Row] { filter { $0["role"] == role } }
}
