// SPDX-License-Identifier: Apache-2.0
import Foundation
import TCPStateCore
import TCPStateReport
import TestSupport
import Testing

@testable import tcpstate_trace

/// `-Y` against real datagram sockets, and against systemd-journald where it can be run.
@Suite struct JournalTests {
  /// What journald does with its socket: it reads a datagram, or the file that one brings.
  private final class Receiver {
    let path = "/tmp/tcpstate-journal-\(UUID().uuidString)"
    private let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)

    init() throws {
      var address = sockaddr_un()
      address.sun_family = sa_family_t(AF_UNIX)
      withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
      let size = socklen_t(MemoryLayout<sockaddr_un>.size)
      let bound = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) }
      }
      guard bound == 0 else { throw TestFailure("bind: \(String(cString: strerror(errno)))") }
    }

    deinit {
      close(descriptor)
      unlink(path)
    }

    /// The next entry; `nil` if none comes in time.
    func next(milliseconds: Int32 = 5000) throws -> [UInt8]? {
      var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&ready, 1, milliseconds) > 0 else { return nil }
      var data = [UInt8](repeating: 0, count: 65_536)
      var control = [UInt64](repeating: 0, count: 8)
      return try data.withUnsafeMutableBytes { data in
        try control.withUnsafeMutableBytes { control in
          var part = iovec(iov_base: data.baseAddress, iov_len: data.count)
          return try withUnsafeMutablePointer(to: &part) { part in
            var message = msghdr()
            message.msg_iov = part
            message.msg_iovlen = 1
            message.msg_control = control.baseAddress
            message.msg_controllen = control.count
            let count = recvmsg(descriptor, &message, 0)
            guard count >= 0 else { throw TestFailure("recvmsg: \(String(cString: strerror(errno)))") }
            guard message.msg_controllen > 0 else { return Array(data.prefix(count)) }
            #expect(count == 0, "a file comes alone")
            return try Self.contents(control.load(fromByteOffset: 16, as: Int32.self))
          }
        }
      }
    }

    private static func contents(_ file: Int32) throws -> [UInt8] {
      defer { close(file) }
      #expect(fcntl(file, 1034) == 15, "F_GET_SEALS: journald takes only what nobody can change")
      let data = FileHandle(fileDescriptor: file, closeOnDealloc: false)
      try data.seek(toOffset: 0)
      return [UInt8](try data.readToEnd() ?? Data())
    }
  }

  private static func recording(_ count: Int) throws -> URL {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("journal-\(UUID().uuidString).csv")
    var buffer = ByteBuffer()
    var csv = CSVWriter(columns: Column.allCases)
    csv.appendHeader(to: &buffer)
    var row = SampleTransitions.oneConnection.rows[1]
    row.ownerPID = UInt32(Int32.max)  // nobody
    for index in 0..<count {
      row.sequence = UInt64(index + 1)
      row.local.port = UInt16(index % 60_000 + 1)
      csv.append(row, to: &buffer)
    }
    try buffer.withBytes { Data($0) }.write(to: url)
    return url
  }

  /// More than the socket's queue holds, and its reader is slow: nothing is lost, and all is printed too.
  @Test func slowReader() throws {
    let count = 3000
    let receiver = try Receiver()
    let recording = try Self.recording(count)
    defer { try? FileManager.default.removeItem(at: recording) }
    let command = try ChildProcess([
      Tracer.binary, "tcpstates", "-s", "-Y", "--journal-socket", receiver.path, "--read", recording.path,
    ])
    try command.read(until: Deadline(seconds: 60), "the rows, which mustn't wait for the journal") {
      $0.output.count { $0 == 0x0a } > count
    }
    for index in 0..<count {
      let entry = try #require(try receiver.next(), "entry \(index)")
      #expect(try JournalFields.parse(entry)["OBJECT_TCP_SOURCE_PORT"] == "\(index + 1)")
    }
    #expect(try command.wait(until: Deadline(seconds: 60)) == .exited(0))
    #expect(command.errorText == "")
    #expect(try receiver.next(milliseconds: 0) == nil)
  }

  @Test func noJournal() throws {
    let recording = try Self.recording(1)
    defer { try? FileManager.default.removeItem(at: recording) }
    for path in ["/nonexistent/socket", "/dev/null", String(repeating: "x", count: 200)] {
      let result = try ChildProcess.run([
        Tracer.binary, "tcpstates", "-Y", "--journal-socket", path, "--read", recording.path,
      ])
      #expect(result.ending == .exited(74))
      #expect(result.errorLines.count == 1 && result.errorText.contains("journal at \(path)"))
    }
  }

  /// An entry too large for a datagram comes in a sealed file.
  @Test func largeEntry() throws {
    let receiver = try Receiver()
    let journal = try JournalSocket(path: receiver.path)
    let large = Array("MESSAGE=\(String(repeating: "x", count: 1_000_000))\n".utf8)
    journal.add(large)
    journal.add(Array("MESSAGE=small\n".utf8))
    try journal.flush()
    #expect(try receiver.next() == large)
    #expect(try receiver.next() == Array("MESSAGE=small\n".utf8))
  }

  /// The journal is started anew, with a socket of its own at the same path.
  @Test func restart() throws {
    var first: Receiver? = try Receiver()
    let path = try #require(first?.path)
    let journal = try JournalSocket(path: path)
    journal.add(Array("MESSAGE=one\n".utf8))
    try journal.flush()
    #expect(try first?.next() == Array("MESSAGE=one\n".utf8))
    first = nil
    let second = try Receiver()
    #expect(rename(second.path, path) == 0)
    defer { unlink(path) }
    journal.add(Array("MESSAGE=two\n".utf8))
    try journal.flush()
    #expect(try second.next() == Array("MESSAGE=two\n".utf8))
  }

  private static let programs = ["/lib/systemd/systemd-journald", "/usr/bin/journalctl", "/etc/machine-id"]

  /// systemd-journald itself, with a /run of its own, in a PID namespace so that nothing of it outlives the test.
  @Test(
    .enabled(
      if: geteuid() == 0 && programs.allSatisfy { access($0, R_OK) == 0 }, "needs root and systemd-journald"))
  func journald() throws {
    let recording = try Self.recording(20)
    defer { try? FileManager.default.removeItem(at: recording) }
    let script = """
      mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/journal /run/log/journal
      /lib/systemd/systemd-journald &
      until [ -S /run/systemd/journal/socket ]; do sleep 0.02; done
      "$1" tcpstates -Y --read "$2" >/dev/null || exit
      find() { journalctl --file '/run/log/journal/*/*.journal' SYSLOG_IDENTIFIER=tcpstates -o json 2>/dev/null; }
      until [ "$(find | wc -l)" -ge 20 ]; do sleep 0.02; done
      find
      """
    let result = try ChildProcess.run(
      [
        "unshare", "-mpf", "--mount-proc", "--kill-child", "sh", "-c", script, "sh",
        URL(fileURLWithPath: Tracer.binary).path, recording.path,
      ])
    let entries = try result.outputText.split(separator: "\n").map { line in
      try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
    #expect(entries.count == 20)
    for (index, entry) in entries.enumerated() {
      #expect(entry["MESSAGE"] as? String == "curl 10.0.0.5 \(index + 1) → 93.184.216.34 443 SYN_SENT → ESTABLISHED")
      #expect(entry["PRIORITY"] as? String == "5")
      #expect(entry["OBJECT_COMM"] as? String == "curl", "from us, because no process has this id")
      #expect(entry["OBJECT_TCP_SPAN_TIME"] as? String == "12400")
      #expect(entry["_TRANSPORT"] as? String == "journal")
    }
  }
}
