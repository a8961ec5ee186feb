// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Files of configuration: read whole, and watched by their stamps.
enum SmallFile {
  struct Failure: Error { var number: Int32 }

  /// More is no configuration.
  static let maximumBytes = 1 << 20

  /// What changes when a file is replaced or written. `nil` where stat(2) fails.
  struct Stamp: Equatable {
    private let device: UInt64, inode: UInt64, size: Int
    private let modifiedSeconds: Int, modifiedNanoseconds: Int, changedSeconds: Int, changedNanoseconds: Int

    init?(_ path: String) {
      var status = stat()
      // Follows symbolic links, which Kubernetes replaces to update a secret.
      guard stat(path, &status) == 0 else { return nil }
      device = UInt64(status.st_dev)
      inode = UInt64(status.st_ino)
      size = Int(status.st_size)
      modifiedSeconds = status.st_mtim.tv_sec
      modifiedNanoseconds = status.st_mtim.tv_nsec
      changedSeconds = status.st_ctim.tv_sec
      changedNanoseconds = status.st_ctim.tv_nsec
    }
  }

  /// - Throws: EFBIG above ``maximumBytes``, EINVAL for what isn't a file, and what open(2) and read(2) give.
  static func read(_ path: String) throws(Failure) -> [UInt8] {
    // A FIFO without a writer would block.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw Failure(number: errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw Failure(number: errno) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw Failure(number: status.st_mode & S_IFMT == S_IFDIR ? EISDIR : EINVAL)
    }
    var result: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = Glibc.read(descriptor, &chunk, chunk.count)
      if count == 0 { return result }
      guard count > 0 else {
        if errno == EINTR { continue }
        throw Failure(number: errno)
      }
      result += chunk[..<count]
      guard result.count <= maximumBytes else { throw Failure(number: EFBIG) }
    }
  }
}
