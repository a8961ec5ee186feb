// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// Choices about CSV that RFC 4180 leaves open.
public struct CSVStyle: Sendable {
  /// Stands for a value that isn't known; by default it is empty and unquoted. `\N` suits ClickHouse.
  public let nullText: String
  /// Puts `'` before names that a spreadsheet would run as a formula.
  public let excelSafe: Bool
  /// Shows control characters of names as text such as `\x1b`, for output to a terminal.
  public let terminalSafe: Bool

  /// The bytes written for null, in quotes if needed.
  let null: [UInt8]
  private let nullName: ShortName

  public init(nullText: String = "", excelSafe: Bool = false, terminalSafe: Bool = false) {
    self.nullText = nullText
    self.excelSafe = excelSafe
    self.terminalSafe = terminalSafe
    let needsQuotes = nullText.utf8.contains { [0x22, 0x2c, 0x0a, 0x0d].contains($0) }
    let doubled = nullText.split(separator: "\"", omittingEmptySubsequences: false)
      .joined(separator: "\"\"")
    null = Array(needsQuotes ? "\"\(doubled)\"".utf8 : nullText.utf8)
    nullName = nullText.utf8.count <= 16 ? ShortName(nullText) : ShortName()
  }

  /// Whether a name reads like null, so that only quotes distinguish them.
  @inline(__always)
  func matchesNull(_ name: ShortName) -> Bool {
    !nullName.isEmpty && name == nullName
  }

  func matchesNull(_ name: some NameBytes) -> Bool {
    !nullText.isEmpty && name.count == nullText.utf8.count
      && nullText.utf8.enumerated().allSatisfy { name[$0.offset] == $0.element }
  }

  /// Whether a name is written unchanged.
  @inline(__always)
  func writesPlainly(_ name: ShortName) -> Bool {
    guard name.isPlain, !matchesNull(name) else { return false }
    guard excelSafe else { return true }
    return switch name[0] {
    case UInt8(ascii: "="), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "@"): false
    default: true
    }
  }
}
