// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import TestSupport
import Testing

@testable import tcpstate_trace

/// What the caller may leave behind: signals, descriptors, variables, names that aren't text.
@Suite struct StartUpTests {
  private let folder: Folder
  private let path: String
  private let text = Recording.csv(Recording.rows(20))

  init() throws {
    folder = try Folder()
    path = try folder.write("t.csv", text)
  }

  /// Runs a line of shell in which `$0` is the program and `$1` the recording.
  private func shell(_ line: String, status: Int32 = 0) throws -> ChildProcess {
    try Recording.run(["sh", "-c", "cd '\(folder.path)' && \(line)", Tracer.binary, path], status: status, bare: true)
  }

  private func bytes(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/\(name)")))
  }

  // MARK: - Descriptors

  /// Nothing but rows gets into the output, whichever of the three are closed.
  @Test(arguments: ["<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-", ">&- 2>&-"]) func closed(_ closing: String) throws
  {
    _ = try shell("\"$0\" --read \"$1\" --format csv --columns all --output out.csv \(closing)")
    #expect(try bytes("out.csv") == Array(text.utf8))
  }

  @Test func closedOutputIsAnError() throws {
    #expect(try shell("\"$0\" --read \"$1\" --format csv >&-", status: 74).errorText.contains("Bad file descriptor"))
    #expect(try shell("\"$0\" --read - <&-", status: 65).errorText.contains("Bad file descriptor"))
  }

  @Test(arguments: ["--help", "--version", "stuck --help"]) func helpThatCannotBeWritten(_ option: String) throws {
    for target in [">/dev/full", ">&-"] {
      let process = try shell("\"$0\" \(option) \(target)", status: 74)
      #expect(process.errorText.contains("can't write to standard output"))
    }
  }

  /// Names are bytes: what isn't UTF-8 is looked for as it is, and shown.
  @Test(arguments: ["--netns", "--cgroup"]) func namesThatAreNotText(_ option: String) throws {
    let process = try shell("\"$0\" \(option) \"$(printf 'no\\377such')\"", status: 64)
    #expect(process.errorText.contains("no\\xffsuch"), "\(process.errorText)")
    // It is there under that name alone, and is something else.
    let there = try shell(": > \"$(printf 'a\\377file')\" && \"$0\" \(option) \"$(printf 'a\\377file')\"", status: 64)
    #expect(there.errorText.contains("is not a "), "\(there.errorText)")
  }

  @Test func journalThatIsNoText() throws {
    let line = "python3 -c 'import socket; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).bind(b\"j\\xff\")'"
    // Nobody listens there any more, which is another error than that there is no such name.
    let process = try shell(
      "\(line); \"$0\" tcpstates --read \"$1\" -Y --journal-socket \"$(printf 'j\\377')\"", status: 74)
    #expect(process.errorText.contains("j\\xff: Connection refused"), "\(process.errorText)")
  }

  // MARK: - Signals

  /// waitpid() says nothing where the parent ignores SIGCHLD: a wrong checksum must be seen all the same.
  @Test(arguments: ["CHLD", "PIPE", "CHLD TERM PIPE XFSZ"]) func ignoredByTheParent(_ signals: String) throws {
    _ = try shell("gzip -k t.csv")
    var archive = try bytes("t.csv.gz")
    archive[archive.count - 6] ^= 0xff
    _ = try folder.write("crc.csv.gz", archive)
    let line = "trap '' \(signals); exec \"$0\" summary --strict --read"
    #expect(try shell("\(line) crc.csv.gz", status: 65).errorText.contains("crc error"))
    _ = try shell("\(line) t.csv.gz")
  }

  /// Blocked signals arrive, and an ignored SIGHUP or SIGINT stays so; SIGUSR1 and SIGUSR2 end nothing.
  @Test func duringReading() throws {
    for (prefix, signal, ends) in [
      ("", SIGTERM, true), ("", SIGUSR1, false), ("", SIGUSR2, false), ("", SIGXFSZ, false), ("nohup", SIGHUP, false),
      ("env --ignore-signal=INT", SIGINT, false), ("env --block-signal=TERM", SIGTERM, true),
      ("env --ignore-signal=TERM", SIGTERM, true),
    ] {
      let process = try ChildProcess(
        (prefix.isEmpty ? [] : prefix.split(separator: " ").map(String.init)) + [
          Tracer.binary, "--read", "-", "--format", "csv",
        ])
      try process.write(text)
      try process.read(until: Deadline(seconds: 20), "\(prefix) \(signal)") { _ in Self.isReading(process.pid) }
      process.send(signal)
      if !ends {
        process.read(during: 200)
        process.closeInput()
      }
      let ending = try process.wait(until: Deadline(seconds: 20))
      #expect(ending == (ends ? .killed(signal) : .exited(0)), "\(prefix) \(signal)")
    }
  }

  /// Whether it has confined itself, and so is about to read.
  private static func isReading(_ pid: pid_t) -> Bool {
    usleep(2000)
    return (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8))?.contains("Seccomp:\t2") ?? false
  }

  // MARK: - Tools

  /// gzip and zstd are the system's, whatever PATH and their variables say.
  @Test(arguments: [("gzip", "gz"), ("zstd", "zst")]) func tools(_ tool: String, _ end: String) throws {
    _ = try shell("\(tool) -kq t.csv")
    _ = try folder.write(tool, "#!/bin/sh\necho hijacked >\(folder.path)/hijacked\n")
    chmod("\(folder.path)/\(tool)", 0o755)
    let line = "PATH=\(folder.path) GZIP=-l ZSTD_CLEVEL=x \"$0\" --read t.csv.\(end) --format csv --columns all"
    #expect(try shell(line).outputText == text)
    #expect(access("\(folder.path)/hijacked", F_OK) != 0)
  }

  /// Half an archive, or half a row, is read as far as it goes, and is incomplete.
  @Test func cut() throws {
    let long = Recording.csv(Recording.rows(3_000))
    _ = try folder.write("long.csv", long)
    _ = try folder.write("torn.csv", text.dropLast(20))
    _ = try shell(
      "gzip -k long.csv; zstd -kq long.csv; head -c 20000 long.csv.gz >half.csv.gz; head -c 9000 long.csv.zst >half.csv.zst"
    )
    for file in ["half.csv.gz", "half.csv.zst", "torn.csv"] {
      for command in ["summary", "trace", "lifecycle", "tcpstates", "stuck"] {
        let lenient = try shell("\"$0\" \(command) --read \(file)")
        #expect(lenient.errorText.contains("cut short"), "\(file): \(lenient.errorText)")
        #expect(try shell("\"$0\" \(command) --strict --read \(file)", status: 3).errorText.contains("cut short"))
      }
    }
  }

  // MARK: - Names

  /// A name that isn't UTF-8 is that very file.
  @Test(arguments: ["a\\377b", "\\200", "\\342\\200", "caf\\351.csv", "\\355\\240\\200", "x\\364\\217\\270\\200y"])
  func rawNames(_ name: String) throws {
    let line = "name=$(printf '\(name)'); \"$0\" --read \"$1\" --format csv --columns all --output \"$name\" && "
    #expect(try shell(line + "cat \"$name\" && ls | wc -l").outputText == text + "2\n")
    #expect(
      try shell("name=$(printf '\(name)'); \"$0\" --read \"$name\" --format csv --columns all").outputText == text)
  }

  @Test func combiningCharacterAfterSlash() throws {
    _ = try shell("mkdir d && \"$0\" --read \"$1\" --format csv --columns all --output \"d/$(printf '\\314\\201')f\"")
    #expect(try shell("cat d/*").outputText == text)
  }

  @Test func everyByteComesBack() {
    var generator = SeededGenerator(seed: 7)
    for _ in 0..<2_000 {
      let bytes = (0..<Int.random(in: 0...12, using: &generator)).map { _ in
        [0x2f, 0x41, 0x80, 0xc3, 0xe2, 0xf4, 0x8f, 0xb8, 0xb9, 0xff].randomElement(using: &generator) ?? UInt8(0)
      }
      #expect(RawText.bytes(RawText.text(bytes)) == bytes)
    }
    #expect(RawText.text(Array("é/日本".utf8)) == "é/日本")
  }

  /// Whatever is in a message, nothing acts on the terminal.
  @Test(arguments: ["\\033[31m", "\\342\\200\\256", "\\302\\233", "\\007", "\\177", "\\342\\201\\246", "\\r"])
  func messages(_ hostile: String) throws {
    for arguments in [
      "--bogus$x", "--read \"no$x\"", "--netns \"/no$x\"", "-L \"8$x\"", "--state \"$x\"", "--peer \"$x\"",
      "--for \"1$x\"",
      "--format \"$x\"", "--columns \"$x\" --format csv", "--read \"$1\" --output \"/no$x/f\"",
      "stuck --at \"$x\" --read \"$1\"",
      "\"$x\"", "--buffer \"$x\" --for 1s", "lifecycle --connection \"$x\" --read \"$1\"",
    ] {
      let process = try ChildProcess.run([
        "sh", "-c", "x=$(printf '\(hostile)'); \"$0\" \(arguments)", Tracer.binary, path,
      ])
      #expect(process.ending != .exited(0), "\(arguments)")
      let isClean = process.errorText.unicodeScalars.allSatisfy {
        $0 == "\n" || $0.properties.generalCategory != .control && $0.properties.generalCategory != .format
      }
      #expect(isClean && !process.errors.isEmpty, "\(arguments): \(process.errorText.debugDescription)")
      #expect(process.errorLines.count == 1, "\(arguments)")
    }
  }

  // MARK: - What is no recording

  @Test(arguments: ["{\"a\":1}\n{\"b\":2}\n", "{}\n", "{\"level\":\"info\",\"msg\":\"x\"}\n"])
  func foreignObjects(_ text: String) throws {
    _ = try folder.write("f.jsonl", text)
    #expect(try shell("\"$0\" summary --read f.jsonl", status: 65).errorText.contains("without any key of a recording"))
  }

  @Test func carriageReturns() throws {
    _ = try folder.write("cr.csv", text.replacing("\n", with: "\r"))
    _ = try folder.write("cr.jsonl", Recording.jsonLines(Recording.rows(3)).replacing("\n", with: "\r"))
    _ = try folder.write("crlf.csv", text.replacing("\n", with: "\r\n"))
    for file in ["cr.csv", "cr.jsonl"] {
      #expect(try shell("\"$0\" summary --read \(file)", status: 65).errorText.contains("carriage return alone"))
    }
    _ = try shell("\"$0\" summary --read crlf.csv")
  }

  @Test(arguments: ["mnt", "pid", "user", "uts", "cgroup"]) func otherNamespaces(_ kind: String) throws {
    let process = try Recording.run(["--netns", "/proc/self/ns/\(kind)", "--for", "1s"], status: 64)
    #expect(process.errorText.contains("is not a network namespace"))
  }
}
