// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// What is typed into `top`'s filter: words that all have to match, or, with a `-` before them, must not.
///
/// A state's name matches that state; anything else matches what it is a part of: the owner's name and pid, the addresses
/// with their ports, the role, the container. Case doesn't matter.
public struct TopFilter: ~Copyable {
  private enum Test {
    case state(TCPState)
    case part([UInt8])
  }

  private let words: [(test: Test, isNegative: Bool)]
  private let needsText: Bool
  private var text = ByteBuffer(capacity: 256)
  /// Containers as text, which many sockets share.
  private var containers: [Workload: String] = [:]

  public init(_ text: String) {
    words = text.split(separator: " ").compactMap { word -> (test: Test, isNegative: Bool)? in
      let isNegative = word.hasPrefix("-")
      let rest = isNegative ? word.dropFirst() : word
      guard !rest.isEmpty else { return nil }
      // A number may be a port's; the kernel's number of a state isn't meant.
      if let state = rest.first?.isNumber == true ? nil : TCPState(parsing: rest) { return (.state(state), isNegative) }
      return (.part(Array(rest.lowercased().utf8)), isNegative)
    }
    needsText = words.contains { if case .part = $0.test { true } else { false } }
  }

  public var isEmpty: Bool { words.isEmpty }

  /// Whether it asks for a state by its name.
  func asks(for state: TCPState) -> Bool {
    words.contains { if case .state(let wanted) = $0.test { wanted == state && !$0.isNegative } else { false } }
  }

  public mutating func matches(_ row: TopRow) -> Bool {
    if words.isEmpty { return true }
    if needsText { write(row) }
    for word in words {
      let isThere =
        switch word.test {
        case .state(let state): row.state == state
        case .part(let part): contains(part)
        }
      if isThere == word.isNegative { return false }
    }
    return true
  }

  /// All that a word can be a part of, in small letters.
  private mutating func write(_ row: TopRow) {
    text.removeAll()
    OwnerText.append(name: row.ownerName, pid: row.ownerPID, to: &text)
    text.append(UInt8(ascii: " "))
    text.append(row.role.name)
    text.append(UInt8(ascii: " "))
    text.append(row.state.name(.rfc))
    text.append(UInt8(ascii: " "))
    EndpointText.append(row.local, to: &text)
    text.append(UInt8(ascii: " "))
    EndpointText.append(row.peer, to: &text)
    guard !row.workload.isUnknown else { return }
    let container = containers[row.workload] ?? " \(WorkloadText.full(row.workload) ?? "")"
    containers[row.workload] = container
    text.append(container)
  }

  /// Whether the text has the bytes in it; ASCII letters of either case.
  private func contains(_ part: [UInt8]) -> Bool {
    text.withBytes { bytes in
      guard part.count <= bytes.count else { return false }
      for start in 0...(bytes.count - part.count) {
        var length = 0
        while length < part.count, Self.small(bytes[start + length]) == part[length] { length += 1 }
        if length == part.count { return true }
      }
      return false
    }
  }

  private static func small(_ byte: UInt8) -> UInt8 { byte >= 65 && byte <= 90 ? byte | 32 : byte }
}
