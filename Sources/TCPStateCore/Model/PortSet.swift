// SPDX-License-Identifier: Apache-2.0

/// A set of ports, which users write as `443,8000-8100`.
public struct PortSet: Sendable, Equatable {
  /// One bit per port, port 0 first.
  public private(set) var words: [UInt64] = Array(repeating: 0, count: 1024)

  public init() {}

  public func contains(_ port: UInt16) -> Bool {
    words[Int(port >> 6)] >> UInt64(port & 63) & 1 == 1
  }

  public mutating func insert(_ ports: ClosedRange<UInt16>) {
    for port in ports { words[Int(port >> 6)] |= 1 << UInt64(port & 63) }
  }

  public mutating func formUnion(_ other: PortSet) {
    for index in words.indices { words[index] |= other.words[index] }
  }

  /// Parses a list of ports and ranges, 1 to 65535. The error names the wrong part.
  public init(parsing text: String) throws(PortListError) {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    for part in parts {
      let ends = part.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
      guard let low = Self.port(ends[0]), let high = Self.port(ends[ends.count - 1]), low <= high
      else { throw PortListError(part: String(part)) }
      insert(low...high)
    }
  }

  private static func port(_ text: Substring) -> UInt16? {
    guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }), let port = UInt16(text), port > 0
    else { return nil }
    return port
  }
}

/// A part of a port list that is neither a port nor a range.
public struct PortListError: Error, CustomStringConvertible {
  public let part: String

  public var description: String {
    "'\(part)' is not a port from 1 to 65535, nor a range such as 8000-8100"
  }
}
