// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Owns a descriptor and closes it.
struct FileDescriptor: ~Copyable {
  let number: Int32

  /// Takes over an open descriptor.
  init(taking number: Int32) {
    self.number = number
  }

  /// Opens read-only; `nil` with errno set if that fails.
  init?(path: UnsafePointer<CChar>) {
    let number = open(path, O_RDONLY | O_CLOEXEC)
    guard number >= 0 else { return nil }
    self.number = number
  }

  /// The inode, in 32 bits: enough for namespaces.
  var inode: UInt32? {
    var status = stat()
    return fstat(number, &status) == 0 ? UInt32(truncatingIfNeeded: status.st_ino) : nil
  }

  /// The inode of the file that a path leads to, in 32 bits; `nil` if it can't be read.
  static func inode(of path: UnsafePointer<CChar>) -> UInt32? {
    var status = stat()
    return stat(path, &status) == 0 ? UInt32(truncatingIfNeeded: status.st_ino) : nil
  }

  /// All that is in it from here on; `nil` if it can't be read.
  func text() -> String? {
    var bytes: [UInt8] = []
    let size = 16 * 1024
    while true {
      let count = withUnsafeTemporaryAllocation(byteCount: size, alignment: 1) { buffer in
        let count = read(number, buffer.baseAddress, size)
        if count > 0 { bytes += buffer[..<count] }
        return count
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return count == 0 ? String(decoding: bytes, as: UTF8.self) : nil }
    }
  }

  deinit { close(number) }
}
