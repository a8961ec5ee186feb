// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import TestSupport
import Testing

/// A recording that is read is never written to, and an output keeps what is in it until there is something to write.
@Suite struct SameFileTests {
  private let folder: Folder
  private let text = Recording.csv(Recording.rows(20))

  init() throws { folder = try Folder() }

  private func content(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

  /// By each spelling of its name, and by each command.
  @Test(arguments: ["trace", "summary", "lifecycle", "report", "tcpstates", "stuck"])
  func recordingIsOutput(_ command: String) throws {
    let path = try folder.write("t.csv", text)
    let (hard, soft) = ("\(folder.path)/hard.csv", "\(folder.path)/soft.csv")
    try #require(link(path, hard) == 0 && symlink("t.csv", soft) == 0)
    for (input, output) in [
      (path, path), (path, "\(folder.path)/./t.csv"), (path, "\(folder.path)/../\(folder.name)/t.csv"), (path, hard),
      (soft, path), (path, soft),
    ] {
      for more in [[], ["--append"]] where !(command == "report" && !more.isEmpty) {
        let process = try Recording.run([command, "--read", input, "--output", output] + more, status: 64)
        #expect(
          process.errorLines.count == 1 && process.errorText.contains("recording that is read; name another file"))
        #expect(process.output.isEmpty)
        #expect(try content(path) == text)
      }
    }
  }

  @Test func oneOfSeveral() throws {
    let path = try folder.write("t.csv", text)
    let other = try folder.write("u.csv", text)
    _ = try Recording.run(["--read", other, path, "--output", path], status: 64)
    #expect(try content(path) == text)
  }

  @Test func compressed() throws {
    let path = try folder.write("t.csv", text)
    _ = try Recording.run(["gzip", "-k", path], bare: true)
    let before = try Data(contentsOf: URL(fileURLWithPath: path + ".gz"))
    _ = try Recording.run(["summary", "--read", path + ".gz", "--output", path + ".gz"], status: 64)
    #expect(try Data(contentsOf: URL(fileURLWithPath: path + ".gz")) == before)
  }

  /// The shell's redirections, which leave the program only descriptors.
  @Test(arguments: ["--read T >>T", "--read - <T >>T", "--read - --output T <T", "--read T --output /dev/stdout >>T"])
  func redirected(_ arguments: String) throws {
    let path = try folder.write("t.csv", text)
    let line = "exec \"$0\" --format csv " + arguments.replacing("T", with: path)
    _ = try Recording.run(["sh", "-c", line, Tracer.binary], status: 64, bare: true)
    #expect(try content(path) == text)
  }

  /// What can't be read leaves the output as it was, and none where there was none.
  @Test(arguments: ["summary", "trace", "lifecycle", "report", "tcpstates", "stuck"])
  func inputThatCannotBeRead(_ command: String) throws {
    let output = try folder.write("out", "precious\n")
    let garbage = try folder.write("g.csv", "no recording\n")
    let bad = try folder.write("bad.csv", text.prefix { $0 != "\n" } + "\nno row\n")
    for input in ["\(folder.path)/none.csv", garbage, bad, folder.path] {
      _ = try Recording.run([command, "--read", input, "--output", output], status: 65)
      #expect(try content(output) == "precious\n", "\(input)")
    }
    _ = try Recording.run([command, "--read", "\(folder.path)/none.csv", "--output", "\(folder.path)/new"], status: 65)
    #expect(access("\(folder.path)/new", F_OK) != 0)
  }

  /// An existing file is replaced as a whole, keeps its mode and its other names; no rows are an answer, too.
  @Test func replaced() throws {
    let path = try folder.write("t.csv", text)
    let output = try folder.write("out.csv", String(repeating: "old\n", count: 10_000))
    chmod(output, 0o640)
    _ = try Recording.run(["trace", "--read", path, "--format", "csv", "--columns", "all", "--output", output])
    #expect(try content(output) == text)
    var status = stat()
    try #require(stat(output, &status) == 0)
    #expect(status.st_mode & 0o777 == 0o640)
    _ = try Recording.run(["trace", "--read", path, "--format", "jsonl", "--state", "listen", "--output", output])
    #expect(try content(output) == "")
  }

  @Test func devices() throws {
    let path = try folder.write("t.csv", text)
    let arguments = ["--read", path, "--format", "csv", "--columns", "all", "--output"]
    for sink in ["/dev/stdout", "/dev/fd/1", "-"] {
      #expect(try Recording.run(arguments + [sink]).outputText == text)
    }
    _ = try Recording.run(arguments + ["/dev/null"])
    #expect(try Recording.run(arguments + ["/dev/full"], status: 74).errorText.contains("No space left"))
    let fifo = "\(folder.path)/fifo"
    try #require(mkfifo(fifo, 0o600) == 0)
    let reader = try ChildProcess(["cat", fifo])
    _ = try Recording.run(arguments + [fifo])
    try reader.wait(until: Deadline(seconds: 20))
    #expect(reader.outputText == text)
  }

  // MARK: - --append

  private func append(_ path: String, _ output: String, _ more: [String] = [], status: Int32 = 0) throws -> ChildProcess
  {
    try Recording.run(
      ["--read", path, "--format", "csv", "--columns", "all", "--append", "--output", output] + more, status: status)
  }

  @Test func appended() throws {
    let path = try folder.write("t.csv", text)
    let output = "\(folder.path)/out.csv"
    for count in 1...3 {
      _ = try append(path, output)
      let rows = try CSVTable(Array(content(output).utf8)).rows
      #expect(rows.count == 20 * count)
      #expect(try content(output).components(separatedBy: "timestamp,").count == 2)
    }
    #expect(try Recording.run(["summary", "--read", output]).errorText.contains("60 transitions, 0 lost"))
  }

  /// What a killed program has left of a row goes; whole rows stay.
  @Test func appendedToTornRow() throws {
    let path = try folder.write("t.csv", text)
    let output = try folder.write("out.csv", text + "2026-11-30T10:00:00.0")
    #expect(try append(path, output).errorText.contains("the last line had no end, and its 21 bytes were removed"))
    #expect(try CSVTable(Array(content(output).utf8)).rows.count == 40)
  }

  @Test(arguments: ["precious\n", "timestamp,sequence\n", "no line end"]) func appendedToForeignFile(_ before: String)
    throws
  {
    let path = try folder.write("t.csv", text)
    let output = try folder.write("out.csv", before)
    #expect(try append(path, output, status: 64).errorText.contains("its first line is not the same header"))
    #expect(try content(output) == before)
  }

  @Test func appendNeedsFile() throws {
    let path = try folder.write("t.csv", text)
    _ = try Recording.run(["--read", path, "--append"], status: 64)
    _ = try Recording.run(["report", "--read", path, "--append", "--output", "\(folder.path)/r.html"], status: 64)
  }

  // MARK: - Limits and locks

  /// RLIMIT_FSIZE: an error, not a signal, and whole rows.
  @Test func fileSizeLimit() throws {
    let path = try folder.write("t.csv", Recording.csv(Recording.rows(5_000)))
    let output = "\(folder.path)/out.csv"
    let line = "ulimit -f 100; exec \"$0\" --read \(path) --format csv --columns all --output \(output)"
    let process = try Recording.run(["sh", "-c", line, Tracer.binary], status: 74, bare: true)
    #expect(process.errorText.contains("File too large; what was written before is whole"))
    let written = try content(output)
    #expect(written.count > 20_000 && written.hasSuffix("\n"))
    #expect(try CSVTable(Array(written.utf8)).rows.count > 50)
  }

  @Test func lockedByAnother() throws {
    let path = try folder.write("t.csv", text)
    let output = try folder.write("out.csv", "precious\n")
    let holder = try ChildProcess(["flock", output, "sh", "-c", "echo held; cat"])
    try holder.read(until: Deadline(seconds: 20), "the lock") { $0.outputText.contains("held") }
    for more in [[], ["--append"]] {
      let process = try Recording.run(["--read", path, "--output", output] + more, status: 74)
      #expect(process.errorText.contains("is writing to it; name another file, or end it"))
      #expect(process.errorText.contains("(flock, pid \(holder.pid))"), "\(process.errorText)")
      #expect(try content(output) == "precious\n")
    }
  }
}
