// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import TestSupport
import Testing

extension Privileged {
  /// Whatever isn't read, signals and deadlines are heeded.
  @Suite struct DeafnessTests {
    /// A shell's line that gives a program a standard error that is full and that nobody reads.
    private static let fullErrors = """
      import fcntl, os, sys
      r, w = os.pipe()
      fcntl.fcntl(w, 1031, 4096)
      os.set_blocking(w, False)
      try:
          while True: os.write(w, b"x" * 512)
      except BlockingIOError: pass
      os.set_blocking(w, True)
      os.dup2(w, int(sys.argv[1]))
      os.set_inheritable(r, True)
      print("full", file=sys.stderr if sys.argv[1] == "1" else sys.stdout, flush=True)
      os.execvp(sys.argv[2], sys.argv[2:])
      """

    private func start(_ full: Int32, _ options: [String]) throws -> ChildProcess {
      let process = try ChildProcess(["python3", "-c", Self.fullErrors, "\(full)", Tracer.binary] + options)
      try process.read(until: Deadline(seconds: 20), "the full pipe") {
        ($0.outputText + $0.errorText).contains("full")
      }
      return process
    }

    @Test(arguments: [
      ["--format", "csv"], ["summary"], ["summary", "--in-kernel"], ["lifecycle"], ["tcpstates"],
      ["stuck", "--watch"], ["--verbose"],
    ])
    func errorsThatNobodyReads(_ options: [String]) throws {
      let namespace = try NetworkNamespace()
      for signal in [SIGTERM, SIGINT] {
        let process = try start(2, options + ["--netns", namespace.path])
        process.read(during: 1500)
        process.send(signal)
        #expect(try process.wait(until: Deadline(seconds: 5)) == .exited(0))
      }
      let process = try start(2, options + ["--netns", namespace.path, "--for", "1s"])
      #expect(try process.wait(until: Deadline(seconds: 8)) == .exited(0))
    }

    /// A reader that takes nothing is given up; a second signal doesn't wait for that.
    @Test func outputThatNobodyReads() throws {
      let pair = try Pair()
      let process = try start(1, ["--format", "csv", "--netns", pair.namespace.path])
      try process.read(until: Deadline(seconds: 20), "to trace") { $0.errorText.contains("Tracing TCP on") }
      try pair.connect()
      process.read(during: 300)
      process.send(SIGTERM)
      process.read(during: 500)
      process.send(SIGTERM)
      #expect(try process.wait(until: Deadline(seconds: 3)) == .exited(0))
      #expect(process.errorText.contains("stopped reading"))
    }

    /// Frames that no terminal shows are left out.
    @Test(arguments: [["top"], ["summary"]]) func terminalThatNobodyReads(_ command: [String]) throws {
      let namespace = try NetworkNamespace()
      let script = """
        import os, pty, signal, subprocess, sys, termios, time
        window, terminal = pty.openpty()
        termios.tcsetwinsize(terminal, (200, 400))
        process = subprocess.Popen(sys.argv[1:], stdin=terminal, stdout=terminal, stderr=terminal)
        time.sleep(4)
        process.send_signal(signal.SIGTERM)
        print(process.wait(timeout=12))
        """
      let process = try ChildProcess.run(
        ["python3", "-c", script, Tracer.binary] + command + ["--netns", namespace.path], seconds: 30)
      #expect(process.outputText == "0\n", "\(process.errorText)")
    }

    @Test func fifoWithoutReader() throws {
      let folder = try TemporaryFolder()
      let namespace = try NetworkNamespace()
      let fifo = folder.file("fifo")
      try #require(mkfifo(fifo, 0o600) == 0)
      for option in ["--output", "--record"] {
        let process = try ChildProcess([Tracer.binary, "--netns", namespace.path, option, fifo])
        process.read(during: 1500)
        process.send(SIGTERM)
        let ending = try process.wait(until: Deadline(seconds: 5))
        #expect(ending == .exited(74) || ending == .killed(SIGTERM))
      }
      // Once somebody reads, it goes on.
      let process = try ChildProcess(
        [Tracer.binary, "--netns", namespace.path, "--format", "csv", "--output", fifo, "--for", "2s"])
      process.read(during: 500)
      let reader = try ChildProcess(["cat", fifo])
      #expect(try process.wait(until: Deadline(seconds: 20)) == .exited(0))
      try reader.wait(until: Deadline(seconds: 20))
      #expect(reader.outputText.hasPrefix("timestamp,"))
    }

    /// Under nohup and in a shell's background the signals that are ignored stay so.
    @Test(arguments: [("nohup", SIGHUP), ("env --ignore-signal=INT", SIGINT)])
    func ignoredSignals(_ wrapper: String, _ signal: Int32) throws {
      let namespace = try NetworkNamespace()
      let tracer = try Tracer(of: namespace, wrapper: wrapper.split(separator: " ").map(String.init))
      for other in [signal, SIGUSR1, SIGUSR2] {
        tracer.process.send(other)
        tracer.process.read(during: 300)
        #expect(kill(tracer.process.pid, 0) == 0)
      }
      #expect(try tracer.stop(SIGTERM) == .exited(0))
    }

    // MARK: - One file

    @Test func twoTracersOnOneFile() throws {
      let pair = try Pair()
      let folder = try TemporaryFolder()
      let file = folder.file("rows.csv")
      let first = try Tracer(["--output", file], of: pair.namespace)
      for option in ["--output", "--record"] {
        let second = try ChildProcess.run([Tracer.binary, "--for", "1s", "--netns", pair.namespace.path, option, file])
        #expect(second.ending == .exited(74))
        #expect(second.errorText.contains("(tcpstate-trace, pid \(first.process.pid)) is writing to it"))
      }
      try pair.connect()
      first.process.read(during: 300)
      #expect(try first.stop() == .exited(0))
      #expect(try CSVTable(TemporaryFolder.bytes(file)).rows.count >= 4)
    }

    @Test(arguments: ["", "./", "sub/../"]) func outputIsRecording(_ way: String) throws {
      let namespace = try NetworkNamespace()
      let folder = try TemporaryFolder()
      try FileManager.default.createDirectory(atPath: folder.file("sub"), withIntermediateDirectories: false)
      let file = folder.file("rows.csv")
      let process = try ChildProcess.run(
        [
          Tracer.binary, "--for", "1s", "--netns", namespace.path, "--output", file, "--record",
          folder.file(way + "rows.csv"),
        ])
      #expect(process.ending == .exited(64))
      #expect(process.errorText.contains("it is the same file as"))
      #expect(access(file, F_OK) != 0)
    }

    /// What was in the file stays until the tracer is attached; a file that is new doesn't stay without it.
    @Test func nothingIsEmptiedInVain() throws {
      let folder = try TemporaryFolder()
      let file = folder.file("rows.csv")
      try "precious\n".write(toFile: file, atomically: false, encoding: .utf8)
      for output in [file, folder.file("new")] {
        // Enough for the program, and too little for the kernel side.
        let process = try ChildProcess.run(
          ["setpriv", "--bounding-set=-bpf,-sys_admin", Tracer.binary, "--for", "1s", "--output", output])
        #expect(process.ending != .exited(0))
      }
      #expect(try String(contentsOfFile: file, encoding: .utf8) == "precious\n")
      #expect(access(folder.file("new"), F_OK) != 0)
    }

    /// logrotate's copytruncate: the file goes on at its new end, without a gap of zeros, with whole rows.
    @Test(arguments: [true, false]) func shortenedMeanwhile(isNamed: Bool) throws {
      let pair = try Pair()
      let folder = try TemporaryFolder()
      let file = folder.file("rows.csv")
      let tracer =
        try isNamed ? Tracer(["--output", file], of: pair.namespace) : Tracer(of: pair.namespace, output: .file(file))
      let port = try pair.server.ask("listen l 127.0.0.1").port
      for _ in 0..<3 {
        _ = try pair.connect(to: port)
        tracer.process.read(during: 300)
        try #require(truncate(file, 0) == 0)
      }
      _ = try pair.connect(to: port)
      #expect(try tracer.stop() == .exited(0))
      let bytes = try TemporaryFolder.bytes(file)
      #expect(!bytes.isEmpty && !bytes.contains(0) && bytes.last == UInt8(ascii: "\n"))
      #expect(bytes.starts(with: "20".utf8))
    }

    /// As a unit that is restarted: what was recorded stays, and its torn row goes.
    @Test func restarted() throws {
      let pair = try Pair()
      let folder = try TemporaryFolder()
      let file = folder.file("rows.csv")
      let port = try pair.server.ask("listen l 127.0.0.1").port
      var before = 0
      for _ in 0..<3 {
        let tracer = try Tracer(["--append", "--output", file], of: pair.namespace)
        _ = try pair.connect(to: port)
        tracer.process.read(during: 300)
        _ = try tracer.stop(SIGKILL)
        let rows = try CSVTable(TemporaryFolder.bytes(file)).rows.count
        #expect(rows > before)
        before = rows
      }
    }
  }
}
