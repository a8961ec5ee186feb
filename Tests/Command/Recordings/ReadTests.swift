// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TCPStateReport
import TestSupport
import Testing

/// `--read`, by the program itself.
@Suite struct ReadTests {
  private let folder: Folder
  private let all = ["--format", "csv", "--columns", "all"]

  init() throws { folder = try Folder() }

  private func compress(_ tool: String, _ path: String) throws {
    guard try ChildProcess.run([tool, "-kqf", path]).ending == .exited(0) else { throw TestFailure("no \(tool)") }
  }

  @Test func formatsAndCompression() throws {
    let rows = Recording.rows(2_000)
    let text = Recording.csv(rows)
    let csv = try folder.write("a.csv", text)
    let json = try folder.write("a.jsonl", Recording.jsonLines(rows))
    try compress("gzip", csv)
    try compress("zstd", csv)
    try compress("gzip", json)
    for path in [csv, json, csv + ".gz", csv + ".zst", json + ".gz"] {
      #expect(try Recording.run(["--read", path] + all).outputText == text, "\(path)")
    }
    let input = try ChildProcess([Tracer.binary, "--read", "-"] + all)
    try input.write(String(text.prefix(30_000)))
    input.closeInput()
    try input.wait(until: Deadline(seconds: 60))
    #expect(
      input.outputText == String(text.prefix(through: text.prefix(30_000).lastIndex(of: "\n") ?? text.startIndex)))
    #expect(input.errorText.contains("standard input:"))
    #expect(input.errorText.contains("the last line is cut short and was left out"))
  }

  /// The last line is about the whole recording, its count and its span alike.
  @Test func closingLineWithAFilter() throws {
    var rows = Recording.rows(20)
    for index in rows.indices where index >= 15 { rows[index].ownerPID = 4_711 }
    let path = try folder.write("a.csv", Recording.csv(rows))
    let all = try Recording.run(["--read", path] + self.all)
    #expect(all.errorText.contains("20 transitions in 19.0 s, 0 lost, 0 unmatched."))
    let some = try Recording.run(["--read", path, "--pid", "4711"] + self.all)
    #expect(some.errorText.contains("20 transitions in 19.0 s, 0 lost, 0 unmatched, 5 shown."))
    let none = try Recording.run(["--read", path, "--pid", "1"] + self.all)
    #expect(none.errorText.contains("20 transitions in 19.0 s, 0 lost, 0 unmatched, 0 shown."))
    #expect(!none.errorText.contains("CLOSE-WAIT"), "the table is about what the filter lets through")
  }

  /// A bad line ends the program, but not before the rows above it are written.
  @Test func rowsBeforeABadLine() throws {
    let text = Recording.csv(Recording.rows(5))
    let path = try folder.write("bad.csv", text + "nonsense\n" + text.split(separator: "\n")[1] + "\n")
    let run = try ChildProcess.run([Tracer.binary, "--read", path] + self.all)
    #expect(run.ending == .exited(65) && run.errorText.contains("bad.csv:7:"))
    #expect(run.outputText == text)
  }

  /// A recording's own numbers and gaps come out again; its loss is reported.
  @Test func sequenceAndLosses() throws {
    var rows = Recording.rows(6)
    for index in 2..<6 { rows[index].sequence += 10 }
    let path = try folder.write("a.csv", Recording.csv(rows))
    let read = try Recording.run(["--read", path] + all)
    #expect(read.outputText == Recording.csv(rows))
    #expect(read.errorText.contains("6 transitions in 5.00 s, 10 lost, 0 unmatched."))
    #expect(try Recording.run(["--read", path, "--strict"], status: 3).errorText.contains("10 lost"))
    // Under a filter they are numbered anew, with the gap where it was.
    let filtered = try CSVTable(Recording.run(["--read", path, "-4", "--format", "csv"]).output).rows
    #expect(filtered.map { $0["sequence"] } == ["1", "2", "13", "14", "15", "16"])
  }

  @Test func merge() throws {
    let start: UInt64 = 1_700_000_000_000_000_000
    let a = Recording.rows(5, connection: 1, from: start)
    let b = Recording.rows(5, connection: 2, from: start + 500_000_000)
    let c = Recording.rows(5, connection: 3, from: start + 2_250_000_000)
    let paths = try [
      folder.write("a.csv", Recording.csv(a)), folder.write("b.jsonl", Recording.jsonLines(b)),
      folder.write("c.csv", Recording.csv(c, [.timestamp, .connectionID, .stateOld, .stateNew])),
    ]
    let merged = try CSVTable(Recording.run(["--read"] + paths + ["--format", "csv"]).output).rows
    #expect(merged.count == 15)
    #expect(merged.map { $0.number("timestamp_unix_nano") ?? 0 } == (a + b + c).map(\.time).sorted())
    #expect(merged.map { $0["sequence"] } == (1...15).map(String.init))
    let repeated = try Recording.run(
      ["--read", paths[0], "--read", paths[1], paths[2], "--format", "csv"])
    #expect(try CSVTable(repeated.output).rows.map(\.fields) == merged.map(\.fields))
    let timeless = try Recording.run(["--read", paths[0], Recording.fixture("tcpstates/w.txt")], status: 65)
    #expect(timeless.errorText.contains("merged by time, and this one has none"))
  }

  @Test func badLines() throws {
    let rows = Recording.rows(10)
    var lines = Recording.csv(rows, Column.defaults).split(separator: "\n").map(String.init)
    lines[3] = "what is this?"
    lines[7] = lines[7].replacing("close_wait", with: "asleep")
    let path = try folder.write("a.csv", lines.joined(separator: "\n") + "\n")
    let strict = try Recording.run(["--read", path], status: 65)
    #expect(strict.errorLines.last?.contains("a.csv:4: has 1 cell, the header has 27") ?? false)
    let lenient = try Recording.run(["--read", path, "--skip-bad", "--format", "csv"])
    #expect(try CSVTable(lenient.output).rows.map { $0["sequence"] } == ["1", "2", "4", "5", "6", "8", "9", "10"])
    #expect(lenient.errorText.contains("2 lines were left out; the first is \(path):4: has 1 cell, "))
  }

  /// Lines that are left out make gaps, too, which aren't losses; one that was there before is.
  @Test(arguments: [["trace", "--format", "csv"], ["summary"]])
  func leftOutIsNotLost(_ command: [String]) throws {
    var lines = Recording.csv(Recording.rows(10), Column.defaults).split(separator: "\n").map(String.init)
    lines[3] = "what is this?"
    let whole = try folder.write("a.csv", lines.joined(separator: "\n") + "\n")
    lines.remove(at: 8)
    let gap = try folder.write("gap.csv", lines.joined(separator: "\n") + "\n")
    for (path, said) in [(whole, "9 transitions"), (gap, "8 transitions")] {
      let skipped = try Recording.run(command + ["--read", path, "--skip-bad"])
      let last = try #require(skipped.errorLines.last)
      #expect(last.hasPrefix(said))
      #expect(last.contains(path == gap ? ", 1 lost, 1 left out, " : ", 0 lost, 1 left out, "), "\(last)")
      _ = try Recording.run(command + ["--read", path, "--skip-bad", "--strict"], status: 3)
    }
    lines.remove(at: 3)
    let good = try folder.write("good.csv", lines.joined(separator: "\n") + "\n")
    #expect(try Recording.run(command + ["--read", good]).errorLines.last?.contains(", 2 lost, ") ?? false)
  }

  /// `cat a.csv b.csv`
  @Test func headerAgain() throws {
    let text = Recording.csv(Recording.rows(3))
    let path = try folder.write("a.csv", text + text)
    #expect(try CSVTable(Recording.run(["--read", path] + all).output).rows.count == 6)
  }

  @Test func refusals() throws {
    let path = try folder.write("a.csv", Recording.csv(Recording.rows(3), [.timestamp, .processPID, .stateNew]))
    func fails(_ arguments: [String], _ status: Int32, _ text: String) throws {
      let process = try Recording.run(arguments, status: status)
      #expect(process.errorText.contains(text), "\(process.errorText)")
      #expect(process.errorLines.count == 1)
    }
    try fails(["--read", path], 65, "a.csv:1: trace needs the column state_old; record without --columns")
    try fails(["lifecycle", "--read", path], 65, "initial_send_sequence")
    try fails(["--read", "/no/such"], 65, "can't read /no/such: No such file or directory")
    try fails(["--read", folder.path], 65, "Is a directory")
    try fails(["--read", try folder.write("empty.csv", "")], 65, "is empty: not even a header")
    try fails(
      ["--read", try folder.write("x.gz", "plain")], 65, "gzip can't decompress it: gzip: stdin: not in gzip format")
    try fails(["--read", try folder.write("x.zst", "plain")], 65, "zstd can't decompress it")
    try fails(["--read", path, "--for", "1s"], 64, "--for: a recording ends by itself")
    try fails(["--skip-bad"], 64, "--skip-bad goes with --read")
    try fails(["--read", "-", "-"], 64, "can be read once only")
    let nothing = try Recording.run(["--read", try folder.write("empty.jsonl", "")])
    #expect(nothing.errorText.contains("0 transitions"))
  }

  @Test func cutArchive() throws {
    let text = Recording.csv(Recording.rows(2_000))
    let path = try folder.write("a.csv", text)
    for (tool, end) in [("gzip", "gz"), ("zstd", "zst")] {
      try compress(tool, path)
      let whole = try ChildProcess.run(["cat", "\(path).\(end)"]).output
      let cut = try folder.write("cut.csv.\(end)", Array(whole[..<(whole.count * 3 / 4)]))
      let read = try Recording.run(["--read", cut] + all)
      #expect(text.hasPrefix(read.outputText))
      #expect(read.errorText.contains("cut short"))
    }
  }
}
