// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

extension Privileged {
  /// A reader that is there and doesn't read, until far more waits than should.
  @Suite struct BacklogTests {
    /// Wide rows, to get there soon: unknown is two thousand bytes.
    private static let options = [
      "--null", String(repeating: "x", count: 2000), "--strict", "--columns",
      "sequence,source,state_old,state_new,reason,closer,syn_ack_retransmits,actor_name,rtt_us,initial_send_sequence",
    ]
    private static let limit = 256 << 20

    @Test(.timeLimit(.minutes(3))) func isBoundedAndThenCaughtUp() throws {
      let namespace = try NetworkNamespace()
      let peer = try Privileged.peer(in: namespace)
      let pipe = try UnreadPipe()
      let tracer = try Tracer(["--buffer", "1M"] + Self.options, of: namespace, output: .file(pipe.path))
      let usage = ProcessUsage(tracer.process.pid)
      var churns = 0
      func churn(_ connections: Int) throws {
        try peer.ask("churn 127.0.0.1 \(connections)", seconds: 60)
        churns += 1
      }
      let word = "the output's reader is 256 MB behind"
      while !tracer.process.errorText.contains(word), churns < 40 {
        try churn(500)
        try? tracer.process.read(until: Deadline(seconds: 0.1), "") { $0.errorText.contains(word) }
      }
      #expect(tracer.process.errorText.contains(word), "\(tracer.process.errorText)")

      // What comes now is lost, and takes neither memory nor time.
      let full = usage.memory
      #expect(full > Self.limit && full < Self.limit + (128 << 20), "\(full)")
      let before = usage.ticks
      for _ in 0..<4 { try churn(500) }
      Clocks.pass(milliseconds: 1000)
      #expect(usage.memory < full + (16 << 20), "\(usage.memory), \(full) before")
      #expect(usage.ticks - before < 50, "hundredths of a second")

      // Read after all, all that waited is there, and it goes on without a loss.
      var rows = WideRows()
      try pipe.read(seconds: 60, quiet: 1500) { rows.take($0) }
      let caughtUp = rows.events
      try churn(1)
      try pipe.read(seconds: 20, quiet: 20_000) {
        rows.take($0)
        return rows.events < caughtUp + 12
      }
      #expect(usage.memory < Self.limit / 2, "the backlog's memory is given back")
      tracer.process.send(SIGINT)
      try pipe.read(seconds: 20, quiet: 20_000) { rows.take($0) }
      #expect(try tracer.process.wait(until: Deadline(seconds: 60)) == .exited(3), "\(tracer.process.errorText)")
      let lost = try #require(tracer.reportedLoss)
      // 10 of a connection; of listeners one is left, which the next one would have closed.
      let made = (500 * (churns - 1) + 1) * 10 + churns * 2 - 1
      #expect(lost > 0 && rows.events + lost == made, "\(tracer.process.errorText)")
      #expect(rows.isWhole && rows.last - rows.count == lost, "the gap in the sequence")
    }

    /// Ended while much waits, it doesn't wait for ever, and says what is missing.
    @Test func isGivenUpAtTheEnd() throws {
      let namespace = try NetworkNamespace()
      let peer = try Privileged.peer(in: namespace)
      let pipe = try UnreadPipe()
      let tracer = try Tracer(Self.options, of: namespace, output: .file(pipe.path))
      try peer.ask("churn 127.0.0.1 50")
      tracer.process.send(SIGINT)
      #expect(try tracer.process.wait(until: Deadline(seconds: 30)) == .exited(3))
      let said = tracer.process.errorText
      let missing = said.firstMatch(of: /the last ([\d,]+) bytes are missing/).flatMap {
        Int($0.1.filter { $0 != "," })
      }
      #expect(missing.map { $0 > 1_000_000 } ?? false && said.contains(", 0 lost, "), "\(said)")
      var rows = WideRows()
      try pipe.read(seconds: 5, quiet: 5000) { rows.take($0) }
      #expect(rows.count > 0 && rows.last == rows.count)
    }
  }
}

/// A pipe of a name, whose reader is there and reads only when it is asked to.
private final class UnreadPipe {
  private let folder: TemporaryFolder
  private let descriptor: Int32
  let path: String

  init() throws {
    folder = try TemporaryFolder()
    path = folder.file("pipe")
    guard mkfifo(path, 0o600) == 0 else { throw TestFailure("mkfifo: \(String(cString: strerror(errno)))") }
    descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { throw TestFailure("open: \(String(cString: strerror(errno)))") }
  }

  deinit { close(descriptor) }

  /// Reads until nothing comes for so many milliseconds, nobody can write any more, or `take` wants no more.
  func read(seconds: Double, quiet: Int32, _ take: (UnsafeRawBufferPointer) -> Bool) throws {
    let deadline = Deadline(seconds: seconds)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 1)
    defer { buffer.deallocate() }
    while !deadline.hasPassed {
      var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&polled, 1, quiet) > 0 else { return }
      let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
      guard count > 0, take(UnsafeRawBufferPointer(rebasing: buffer[..<count])) else { return }
    }
    throw TestFailure("the pipe isn't read to its end in time")
  }
}

/// Rows as they come, of which only the first columns are looked at: there are many, and they are long.
private struct WideRows {
  private var beginning: [UInt8] = []
  /// Rows without the header.
  private(set) var count = -1
  private(set) var events = 0
  /// The last sequence number.
  private(set) var last = 0
  /// Whether nothing is left over.
  var isWhole: Bool { beginning.isEmpty }

  /// - Returns: true, for the pipe: read on.
  @discardableResult
  mutating func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var rest = bytes[...]
    while let start = UnsafeRawBufferPointer(rebasing: rest).baseAddress, !rest.isEmpty {
      guard let end = memchr(start, 0x0a, rest.count) else {
        if beginning.count < 64 { beginning += rest.prefix(64) }
        return true
      }
      if beginning.count < 64 { beginning += rest.prefix(min(64, UnsafeRawPointer(end) - start)) }
      finishRow()
      rest = rest.dropFirst(UnsafeRawPointer(end) - start + 1)
    }
    return true
  }

  private mutating func finishRow() {
    let fields = String(decoding: beginning, as: UTF8.self).split(separator: ",", omittingEmptySubsequences: false)
    beginning = []
    count += 1
    guard count > 0, fields.count > 1 else { return }
    last = Int(fields[0]) ?? 0
    if fields[1] == "event" { events += 1 }
  }
}

/// What a process takes up.
private struct ProcessUsage {
  private let pid: pid_t

  init(_ pid: pid_t) { self.pid = pid }

  private func text(_ name: String) -> String {
    (try? String(contentsOfFile: "/proc/\(pid)/\(name)", encoding: .utf8)) ?? ""
  }

  /// Resident bytes.
  var memory: Int {
    let line = text("status").split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
    return line.flatMap { Int($0.filter(\.isNumber)) }.map { $0 * 1024 } ?? 0
  }

  /// CPU time in hundredths of a second: utime and stime of proc(5).
  var ticks: Int {
    let words = text("stat").split(separator: ")").last?.split(separator: " ") ?? []
    return words.count > 12 ? (Int(words[11]) ?? 0) + (Int(words[12]) ?? 0) : 0
  }
}
