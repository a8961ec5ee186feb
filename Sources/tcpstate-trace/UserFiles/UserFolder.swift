// SPDX-License-Identifier: Apache-2.0
import Glibc

/// A folder in which the invoking user's files are read and written whole.
///
/// It is opened once, without following a link that a stranger has made, and used through its descriptor.
struct UserFolder: ~Copyable {
  /// What went wrong, for people.
  struct Refusal: Error {
    let text: String

    init(_ text: String) { self.text = text }

    init(errno code: Int32) { text = String(cString: strerror(code)) }
  }

  private let number: Int32

  deinit { close(number) }

  /// - Parameters:
  ///   - name: the folder's name in `parent`.
  ///   - user: who owns it, if not root.
  ///   - makes: whether both are made if they aren't there.
  init(_ name: String, in parent: String, of user: uid_t, makes: Bool) throws(Refusal) {
    number = try Self.open(name, in: parent, of: user, makes: makes)
  }

  /// - Returns: a descriptor, which the caller closes.
  private static func open(
    _ name: String, in parent: String, of user: uid_t, makes: Bool
  ) throws(Refusal) -> Int32 {
    if makes { make(parent) }
    let above = Glibc.open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard above >= 0 else { throw Refusal(errno: errno) }
    defer { close(above) }
    if makes { _ = mkdirat(above, name, 0o700) }
    var link = stat()
    guard fstatat(above, name, &link, AT_SYMLINK_NOFOLLOW) == 0 else { throw Refusal(errno: errno) }
    let isLink = link.st_mode & S_IFMT == S_IFLNK
    guard !isLink || link.st_uid == user || link.st_uid == 0 else {
      throw Refusal("it is in a symbolic link of user \(link.st_uid)")
    }
    let number = openat(above, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (isLink ? 0 : O_NOFOLLOW))
    guard number >= 0 else { throw Refusal(errno: errno) }
    var status = stat()
    fstat(number, &status)
    let isForeign = status.st_uid != user && status.st_uid != 0
    guard !isForeign, status.st_mode & S_IWOTH == 0 else {
      close(number)
      throw Refusal(isForeign ? "its folder belongs to user \(status.st_uid)" : "everybody can write to its folder")
    }
    return number
  }

  /// Makes the last component of an absolute path; the others exist where a home does.
  private static func make(_ path: String) { _ = mkdir(path, 0o700) }

  /// A regular file's text; `nil` if there is none.
  func read(_ name: String, atMost limit: Int) throws(Refusal) -> String? {
    // Neither a FIFO nor a stranger's link may hold it up.
    let file = openat(number, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
    guard file >= 0 else {
      if errno == ENOENT { return nil }
      throw Refusal(errno: errno)
    }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { throw Refusal("it is no file") }
    guard status.st_size <= limit else { throw Refusal("it is larger than \(limit / 1024) kB") }
    guard let text = Self.text(of: file, atMost: limit) else { throw Refusal("it isn't UTF-8 text") }
    return text
  }

  /// Replaces a file by a new one with this text: readers see the old one or the new one, whole.
  func replace(_ name: String, with bytes: [UInt8]) throws(Refusal) {
    let temporary = ".\(name).\(getpid())"
    unlinkat(number, temporary, 0)
    let file = openat(number, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw Refusal(errno: errno) }
    let failure = Self.write(bytes, to: file) ?? (fsync(file) == 0 ? nil : errno)
    close(file)
    if let failure {
      unlinkat(number, temporary, 0)
      throw Refusal(errno: failure)
    }
    // Takes the place of a link rather than following it.
    guard renameat(number, temporary, number, name) == 0 else {
      let code = errno
      unlinkat(number, temporary, 0)
      throw Refusal(errno: code)
    }
  }

  /// All of it, as text; `nil` if it isn't UTF-8.
  static func text(of file: Int32, atMost limit: Int) -> String? {
    var bytes: [UInt8] = []
    while bytes.count <= limit {
      let count = withUnsafeTemporaryAllocation(byteCount: 16_384, alignment: 1) { buffer in
        let count = Glibc.read(file, buffer.baseAddress, buffer.count)
        if count > 0 { bytes += buffer[..<count] }
        return count
      }
      if count == 0 { return String(validating: bytes, as: UTF8.self) }
      if count < 0, errno != EINTR { return nil }
    }
    return nil
  }

  /// - Returns: what failed.
  static func write(_ bytes: [UInt8], to file: Int32) -> Int32? {
    bytes.withUnsafeBytes { all in
      var rest = all[...]
      while !rest.isEmpty {
        let count = Glibc.write(file, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if count >= 0 { rest = rest.dropFirst(count) } else if errno != EINTR { return errno }
      }
      return nil
    }
  }
}
