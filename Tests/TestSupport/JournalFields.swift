/// An entry of the systemd journal as its native protocol has it, read strictly.
public enum JournalFields {
  public static func parse(_ bytes: [UInt8]) throws -> [String: String] {
    var fields: [String: String] = [:]
    var rest = bytes[...]
    while !rest.isEmpty {
      guard let end = rest.firstIndex(where: { $0 == 0x3d || $0 == 0x0a }) else { throw TestFailure("a field is cut") }
      let name = String(decoding: rest[..<end], as: UTF8.self)
      let value: ArraySlice<UInt8>
      let binary = rest[end] == 0x0a
      rest = rest[(end + 1)...]
      if binary {
        guard rest.count >= 8 else { throw TestFailure("\(name): the length is cut") }
        let length = rest.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        rest = rest.dropFirst(8)
        guard rest.count > length else { throw TestFailure("\(name): \(length) bytes are too many") }
        value = rest.prefix(length)
        rest = rest.dropFirst(length)
        guard rest.first == 0x0a else { throw TestFailure("\(name): no line break after the value") }
        rest = rest.dropFirst()
      } else {
        guard let line = rest.firstIndex(of: 0x0a) else { throw TestFailure("\(name): the value is cut") }
        value = rest[..<line]
        rest = rest[(line + 1)...]
      }
      guard fields.updateValue(String(decoding: value, as: UTF8.self), forKey: name) == nil else {
        throw TestFailure("\(name) comes twice")
      }
    }
    return fields
  }
}
