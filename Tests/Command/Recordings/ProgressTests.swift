// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

/// The line that says how far a long reading is.
@Suite struct ProgressTests {
  private static let clear = "\r\u{1b}[K"

  /// Reads a recording that comes slowly, for longer than nothing is said.
  ///
  /// - Parameter isEnough: looked at after each piece.
  private static func read(
    _ arguments: [String], toTerminal: Bool, until isEnough: (ChildProcess, ContinuousClock.Instant) -> Bool
  ) throws -> ChildProcess {
    let lines = Recording.csv(Recording.rows(20_000)).split(separator: "\n", omittingEmptySubsequences: true)
    let reader = try ChildProcess([Tracer.binary] + arguments, errorsToTerminal: toTerminal)
    let start = ContinuousClock.now
    let deadline = Deadline(seconds: 60)
    var next = 0
    while !isEnough(reader, start) {
      guard !deadline.hasPassed, next < lines.count else { throw TestFailure("no progress: \(reader.errorText)") }
      try reader.write(lines[next..<min(next + 40, lines.count)].joined(separator: "\n") + "\n")
      next += 40
      reader.read(during: 50)
    }
    reader.closeInput()
    #expect(try reader.wait(until: Deadline(seconds: 60)) == .exited(0), "\(reader.errorText)")
    return reader
  }

  @Test func onATerminal() throws {
    let reader = try Self.read(["summary", "--read", "-"], toTerminal: true) { reader, _ in
      reader.errorText.components(separatedBy: "Read ").count > 3
    }
    // Each line takes the place of the one before, and after the last there is only what stays.
    let pictures = reader.errorText.components(separatedBy: Self.clear)
    #expect(pictures.count >= 5 && pictures[0].isEmpty)
    for picture in pictures.dropFirst().dropLast() {
      #expect(picture.wholeMatch(of: /Read \d+ MB, [0-9,]+ rows/) != nil, "\(picture)")
    }
    let rows = pictures.dropFirst().dropLast().compactMap {
      Int($0.split(separator: " ")[3].filter { $0 != "," })
    }
    #expect(rows == rows.sorted() && Set(rows).count > 1)
    #expect(pictures.last?.contains("transitions") == true && pictures.last?.contains("Read ") == false)
    #expect(reader.outputText.hasPrefix("STATE"))
  }

  /// Bad input ends the reading: its message has a line of its own.
  @Test func beforeAnError() throws {
    let reader = try ChildProcess([Tracer.binary, "summary", "--read", "-"], errorsToTerminal: true)
    let lines = Recording.csv(Recording.rows(4_000)).split(separator: "\n").map { $0 + "\n" }
    var next = 0
    while !reader.errorText.contains("Read "), next < lines.count {
      try reader.write(lines[next..<min(next + 20, lines.count)].joined())
      next += 20
      reader.read(during: 50)
    }
    try reader.write("nonsense\n")
    reader.closeInput()
    #expect(try reader.wait(until: Deadline(seconds: 60)) == .exited(65))
    let last = try #require(reader.errorText.components(separatedBy: Self.clear).last)
    #expect(last.hasPrefix("tcpstate-trace: standard input:\(next + 1): "), "\(last)")
  }

  /// Not into a pipe or a file.
  @Test func nowhereElse() throws {
    let reader = try Self.read(["summary", "--read", "-"], toTerminal: false) { _, start in
      ContinuousClock.now - start > .milliseconds(1_500)
    }
    #expect(!reader.errorText.contains("Read ") && !reader.errorText.contains("\u{1b}"))
    #expect(reader.errorText.contains("transitions"))
  }
}
