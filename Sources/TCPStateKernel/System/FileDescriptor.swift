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

  deinit { close(number) }
}
