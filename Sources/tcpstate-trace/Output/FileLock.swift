// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import TCPStateKernel

/// A lock on an output, so that two programs don't write into each other's rows (flock(2)).
enum FileLock {
  /// Fails where another program has it. Where the file system has no locks, there is none.
  static func take(_ descriptor: Int32, _ name: String) throws(Failure) {
    guard flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK else { return }
    let holder = holder(descriptor).map { " (\($0))" } ?? ""
    throw Failure(
      .outputFailed, "can't write to \(name): another program\(holder) is writing to it; name another file, or end it")
  }

  /// `tcpstate-trace, pid 812`, from /proc/locks: `1: FLOCK ADVISORY WRITE 812 08:01:1234 0 EOF`.
  private static func holder(_ descriptor: Int32) -> String? {
    var status = stat()
    guard fstat(descriptor, &status) == 0, let locks = text("/proc/locks") else { return nil }
    for line in locks.split(separator: "\n") where line.contains("FLOCK") {
      let words = line.split(separator: " ")
      guard words.count > 5, !words.contains("->"), words[5].split(separator: ":").last == "\(status.st_ino)" else {
        continue
      }
      guard let name = text("/proc/\(words[4])/comm") else { return "pid \(words[4])" }
      return "\(name.filter { $0 != "\n" }), pid \(words[4])"
    }
    return nil
  }

  private static func text(_ path: String) -> String? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes: [UInt8] = []
    withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { room in
      while case let count = read(file, room.baseAddress, room.count), count > 0, bytes.count < 1 << 20 {
        bytes.append(contentsOf: room[..<count])
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
