// SPDX-License-Identifier: Apache-2.0
import Foundation
import TCPStateCore
import TestSupport

/// A scenario file: the kernel side's records, one per line, and the rows that they
/// have to produce. See `Scenarios/README.md`.
struct Scenario {
  enum Step {
    /// `socket sk1 cookie=1 …`: what all records of this socket share.
    case socket(name: String, attributes: [Substring])
    case ticks(UInt64)
    /// From now on every transition is seen.
    case completeSince(UInt64)
    case beginPass(at: UInt64, minisocksOnly: Bool)
    /// At its beginning if no time is given. `overflowed`: the kernel has refused minisocks since the previous pass.
    case endPass(at: UInt64?, overflowed: Bool)
    case event(at: UInt64, socket: String, old: TCPState, new: TCPState, attributes: [Substring])
    case snapshot(at: UInt64, socket: String, state: TCPState, attributes: [Substring])
    /// `owners 200ms`: connections have had until then to show their owner.
    case owners(at: UInt64)
    /// `200ms sk1 held-by 813/worker`: a look at descriptors finds it.
    case holder(at: UInt64, socket: String, attributes: [Substring])
    /// `end-look 200ms`
    case endLook(at: UInt64)
    /// `> OLD→NEW field=value …`
    case row(old: TCPState, new: TCPState, fields: [Substring])
    /// `expect unmatched=1 tracked=2 ESTABLISHED=1`
    case expect([Substring])
  }

  struct Line {
    let number: Int
    let step: Step
  }

  struct Malformed: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
  }

  let name: String
  let lines: [Line]

  static var folder: URL { TestFile.url("Scenarios") }

  /// The files' names with their folders, without the extension.
  static var all: [String] {
    let paths = (try? FileManager.default.subpathsOfDirectory(atPath: folder.path)) ?? []
    return paths.filter { $0.hasSuffix(".scenario") }.map { String($0.dropLast(9)) }.sorted()
  }

  init(named name: String) throws {
    let url = Self.folder.appendingPathComponent("\(name).scenario")
    let text = try String(contentsOf: url, encoding: .utf8)
    var lines: [Line] = []
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let words = line.prefix { $0 != "#" }.split(separator: " ")
      guard !words.isEmpty else { continue }
      do {
        lines.append(Line(number: index + 1, step: try Self.step(words)))
      } catch {
        throw Malformed("\(name).scenario:\(index + 1): \(error)")
      }
    }
    self.name = name
    self.lines = lines
  }

  private static func step(_ words: [Substring]) throws -> Step {
    let rest = Array(words.dropFirst())
    func argument() throws -> Substring {
      guard let first = rest.first else { throw Malformed("\(words[0]) needs an argument") }
      return first
    }
    switch words[0] {
    case "socket": return .socket(name: String(try argument()), attributes: Array(rest.dropFirst()))
    case "ticks": return .ticks(try number(argument()))
    case "complete-since": return .completeSince(try time(argument()))
    case "pass": return .beginPass(at: try time(argument()), minisocksOnly: rest.last == "minisocks")
    case "end-pass":
      let isOverflowed = rest.last == "overflowed"
      return .endPass(at: try rest.dropLast(isOverflowed ? 1 : 0).first.map { try time($0) }, overflowed: isOverflowed)
    case "owners": return .owners(at: try time(argument()))
    case "end-look": return .endLook(at: try time(argument()))
    case "expect": return .expect(rest)
    case ">":
      let (old, new) = try transition(argument())
      return .row(old: old, new: new, fields: Array(rest.dropFirst()))
    default: return try record(at: time(words[0]), rest)
    }
  }

  private static func record(at time: UInt64, _ words: [Substring]) throws -> Step {
    guard words.count >= 2 else { throw Malformed("a time, a socket and what happens are needed") }
    let socket = String(words[0])
    if words[1] == "in" {
      guard words.count >= 3 else { throw Malformed("in which state?") }
      return .snapshot(at: time, socket: socket, state: try state(words[2]), attributes: Array(words.dropFirst(3)))
    }
    if words[1] == "held-by" {
      guard words.count == 3 else { throw Malformed("by which process?") }
      return .holder(at: time, socket: socket, attributes: ["owner=\(words[2])", "owner-kind=holder"])
    }
    let (old, new) = try transition(words[1])
    return .event(at: time, socket: socket, old: old, new: new, attributes: Array(words.dropFirst(2)))
  }

  static func transition(_ text: Substring) throws -> (TCPState, TCPState) {
    let ends = text.split(separator: "→", omittingEmptySubsequences: false)
    guard ends.count == 2 else { throw Malformed("'\(text)' is no OLD→NEW") }
    return (try state(ends[0]), try state(ends[1]))
  }

  static func state(_ text: Substring) throws -> TCPState {
    guard let state = TCPState(parsing: text) else { throw Malformed("no state '\(text)'") }
    return state
  }

  /// Decimal, or hexadecimal after `0x`.
  static func number<T: FixedWidthInteger>(_ text: Substring) throws -> T {
    let value = text.hasPrefix("0x") ? T(text.dropFirst(2), radix: 16) : T(text)
    guard let value else { throw Malformed("'\(text)' is no number") }
    return value
  }

  /// `12.5ms` and the like, as nanoseconds.
  static func time(_ text: Substring) throws -> UInt64 {
    let units: [(String, Double)] = [("ns", 1), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9)]
    for (unit, factor) in units where text.hasSuffix(unit) {
      if let value = Double(text.dropLast(unit.count)) { return UInt64((value * factor).rounded()) }
    }
    throw Malformed("'\(text)' is no time")
  }
}
