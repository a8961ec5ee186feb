// SPDX-License-Identifier: Apache-2.0
/// tcpstates' columns as the keys of JSON objects, as programs that have read its CSV write them.
extension TcpstatesLayout {
  /// `nil` if it isn't an object with all of tcpstates' columns.
  init?(object: UnsafeBufferPointer<UInt8>) {
    self.init()
    guard let values = Self.values(object), Self.names.allSatisfy({ Self.value($0, values) != nil }) else { return nil }
    isJSON = true
    times = Self.timeNames.count { values[$0] != nil }
  }

  func parts(ofObject line: [UInt8]) -> Parts? {
    guard let values = line.withUnsafeBufferPointer({ Self.values($0) }) else { return nil }
    var parts = Parts()
    let found = Self.names.compactMap { Self.value($0, values)?[...] }
    guard found.count == Self.names.count else { return nil }
    parts.times = Self.timeNames.compactMap { values[$0]?[...] }
    (parts.address, parts.pid, parts.name) = (found[0], found[1], found[2])
    parts.isUnquoted = true
    parts.rest = Array(found[3...])
    return parts.times.count == times ? parts : nil
  }

  private static let timeNames = ["TIME", "TIME(s)"]

  private static func value(_ name: String, _ values: [String: [UInt8]]) -> [UInt8]? {
    values[name] ?? values["C-\(name)"]
  }

  /// The texts of an object's values, null as an empty one; `nil` if it isn't an object.
  private static func values(_ line: UnsafeBufferPointer<UInt8>) -> [String: [UInt8]]? {
    guard let start = line.baseAddress else { return nil }
    var scanner = JSONScanner(next: start, end: start + line.count)
    var values: [String: [UInt8]] = [:]
    var text: [UInt8] = []
    scanner.skipSpaces()
    guard scanner.take("{") else { return nil }
    repeat {
      scanner.skipSpaces()
      guard scanner.take("\""), let key = scanner.plainString() else { return nil }
      scanner.skipSpaces()
      guard scanner.take(":") else { return nil }
      scanner.skipSpaces()
      guard let isKnown = scanner.value(into: &text) else { return nil }
      values[String(decoding: key, as: UTF8.self)] = isKnown ? text : []
      scanner.skipSpaces()
    } while scanner.take(",")
    guard scanner.take("}") else { return nil }
    scanner.skipSpaces()
    return scanner.next == scanner.end ? values : nil
  }
}
