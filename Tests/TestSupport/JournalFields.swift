// SPDX-License-Identifier: Apache-2.0

/// Strict reader of one systemd journal entry in the native protocol.
public enum JournalFields {
  public static func parse(_ bytes: [UInt8]) throws -> [String: String] {
    var fields: [String: String] = [:]
    var rest = bytes[...]
    while !rest.isEmpty {
      guard let end = rest.firstIndex(where: { $0 == 0x3d || $0 == 0x0a }) else {
        throw TestFailure("a field is truncated")
      }
      let name = String(decoding: rest[..<end], as: UTF8.self)
      let value: ArraySlice<UInt8>
      let binary = rest[end] == 0x0a
      rest = rest[(end + 1)...]
      if binary {
        guard rest.count >= 8 else { throw TestFailure("\(name): the length is truncated") }
        let length = rest.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        rest = rest.dropFirst(8)
        guard rest.count > length else { throw TestFailure("\(name): \(length) bytes are more than there are") }
        value = rest.prefix(length)
        rest = rest.dropFirst(length)
        guard rest.first == 0x0a else { throw TestFailure("\(name): no line break after the value") }
        rest = rest.dropFirst()
      } else {
        guard let line = rest.firstIndex(of: 0x0a) else { throw TestFailure("\(name): the value is truncated") }
        value = rest[..<line]
        rest = rest[(line + 1)...]
      }
      guard fields.updateValue(String(decoding: value, as: UTF8.self), forKey: name) == nil else {
        throw TestFailure("\(name) appears twice")
      }
    }
    return fields
  }
}
