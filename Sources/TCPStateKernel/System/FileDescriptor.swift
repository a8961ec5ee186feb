import Glibc

/// Owns a descriptor and closes it.
struct FileDescriptor: ~Copyable {
  let number: Int32

  /// Takes over an open descriptor.
  init(taking number: Int32) {
    self.number = number
  }

  /// Opens read-only; `nil` with errno set when that fails.
  init?(path: String) {
    let number = open(path, O_RDONLY | O_CLOEXEC)
    guard number >= 0 else { return nil }
    self.number = number
  }

  /// Which file it is, on its filesystem; as wide as namespaces' are.
  var inode: UInt32? {
    var status = stat()
    return fstat(number, &status) == 0 ? UInt32(truncatingIfNeeded: status.st_ino) : nil
  }

  deinit { close(number) }
}
