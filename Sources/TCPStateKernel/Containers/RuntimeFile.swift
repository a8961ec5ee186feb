// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Files that others write: a container runtime, or any user whose containers it runs. Whatever is in them, or is there in
/// their place, costs a bounded time.
enum RuntimeFile {
  /// The most entries of a directory that are looked at.
  private static let mostEntries = 100_000

  /// Reads a regular file; `nil` if it isn't one, is larger, or can't be read.
  static func bytes(_ path: String, atMost limit: Int) -> [UInt8]? {
    // A FIFO or a device would block.
    let number = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)
    guard number >= 0 else { return nil }
    let file = FileDescriptor(taking: number)
    var status = stat()
    guard fstat(file.number, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= limit else {
      return nil
    }
    // Files of /proc have no size.
    let room = status.st_size > 0 ? Int(status.st_size) : limit
    return [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
      while count < room {
        let added = read(file.number, buffer.baseAddress.map { $0 + count }, room - count)
        if added < 0, errno == EINTR { continue }
        guard added > 0 else { return }
        count += added
      }
    }
  }

  /// The same as text, with invalid UTF-8 replaced.
  static func text(_ path: String, atMost limit: Int) -> String? {
    bytes(path, atMost: limit).map { String(decoding: $0, as: UTF8.self) }
  }

  /// Calls `body` with the names in a directory until it returns false.
  static func forEachName(in directory: String, _ body: (String) -> Bool) {
    var seen = 0
    Directory.forEachName(in: directory) { name in
      seen += 1
      return seen <= mostEntries && body(name)
    }
  }
}
