import CLinux
import Glibc

/// Opens the file for the output where somebody may have put something in the way.
///
/// Root can write anywhere, so it must not be led there: in a folder that others can write to, or
/// that belongs to somebody else, there could be a planted symbolic link, a hard link to another
/// file, a FIFO, or a file that its maker is to read. fs.protected_symlinks and its likes guard
/// sticky folders only, where they are on. So root walks the path itself, one component after the other.
struct OutputPath: ~Copyable {
  /// As path_resolution(7) has it.
  private static let mostLinks = 40

  private let path: String
  private let users = OutputUsers()
  private var folder: Folder
  private var rest: [Substring]
  private var links = 0

  /// - Returns: an open descriptor, and whether the file is new; one that was there is empty now.
  static func open(_ path: String) throws(Failure) -> (descriptor: Int32, isNew: Bool) {
    if geteuid() == 0 {
      var walk = try OutputPath(path)
      return try walk.open()
    }
    let isNew = access(path, F_OK) != 0
    let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw failure(path, errno) }
    return (descriptor, isNew)
  }

  private init(_ path: String) throws(Failure) {
    self.path = path
    rest = path.split(separator: "/")
    let start = path.hasPrefix("/") ? "/" : "."
    folder = Folder(Glibc.open(start, Folder.flags))
    guard folder.number >= 0 else { throw Self.failure(path, errno) }
    guard !rest.isEmpty, !path.hasSuffix("/") else { throw Self.failure(path, EISDIR) }
  }

  private mutating func open() throws(Failure) -> (descriptor: Int32, isNew: Bool) {
    while !rest.isEmpty {
      let name = String(rest.removeFirst())
      var status = stat()
      if fstatat(folder.number, name, &status, AT_SYMLINK_NOFOLLOW) != 0 {
        guard errno == ENOENT, rest.isEmpty else { throw Self.failure(path, errno) }
        let descriptor = openat(folder.number, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if descriptor >= 0 { return (descriptor, true) }
        guard errno == EEXIST else { throw Self.failure(path, errno) }
        rest = [Substring(name)]  // somebody was faster: look at what it is
      } else if status.st_mode & S_IFMT == S_IFLNK, !folder.isProc {
        try follow(name, status)
      } else if rest.isEmpty {
        return (try openExisting(name), false)
      } else {
        // In /proc a link isn't a path; it is followed by the kernel.
        try descend(name, folder.isProc ? Folder.flags : Folder.flags | O_NOFOLLOW)
      }
    }
    throw Self.failure(path, EISDIR)
  }

  private mutating func descend(_ name: String, _ flags: Int32) throws(Failure) {
    let next = openat(folder.number, name, flags)
    guard next >= 0 else { throw Self.failure(path, errno) }
    folder = Folder(next)
  }

  private mutating func follow(_ name: String, _ status: stat) throws(Failure) {
    // In a sticky folder only its owner can replace it; a second name could be of anybody's giving.
    let isOurs = users.trust(status.st_uid) && status.st_nlink == 1 && folder.isSticky
    guard users.trust(folder) || isOurs else {
      throw refusal("'\(Message.printable(name))' is a symbolic link that another user can have put there")
    }
    links += 1
    guard links <= Self.mostLinks else { throw Self.failure(path, ELOOP) }
    var text = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = text.withUnsafeMutableBytes { bytes in
      bytes.baseAddress.map { readlinkat(folder.number, name, $0, bytes.count) } ?? -1
    }
    let target = count < 0 ? nil : String(decoding: text[..<count], as: UTF8.self)
    guard let target else { throw Self.failure(path, errno) }
    rest = target.split(separator: "/") + rest
    if target.hasPrefix("/") { folder = Folder(Glibc.open("/", Folder.flags)) }
  }

  /// What is at the path already and is no link, emptied.
  private func openExisting(_ name: String) throws(Failure) -> Int32 {
    if users.trust(folder) || folder.isProc {
      let follow = folder.isProc ? 0 : O_NOFOLLOW
      let descriptor = openat(folder.number, name, O_WRONLY | O_TRUNC | O_NOCTTY | O_CLOEXEC | follow)
      guard descriptor >= 0 else { throw Self.failure(path, errno) }
      return descriptor
    }
    // Nothing is emptied, and no FIFO's reader waited for, before it is known whose it is.
    var descriptor = openat(folder.number, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
    if descriptor < 0, errno == ENXIO {
      var status = stat()
      guard fstatat(folder.number, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { throw Self.failure(path, errno) }
      try check(status)
      descriptor = openat(folder.number, name, O_WRONLY | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC)
    }
    guard descriptor >= 0 else { throw Self.failure(path, errno) }
    var status = stat()
    fstat(descriptor, &status)
    do throws(Failure) {
      try check(status)
    } catch {
      close(descriptor)
      throw error
    }
    if status.st_mode & S_IFMT == S_IFREG { ftruncate(descriptor, 0) }
    _ = fcntl(descriptor, F_SETFL, 0)  // it waits for its reader from now on, as any other
    return descriptor
  }

  private func check(_ status: stat) throws(Failure) {
    guard users.trust(status.st_uid) else { throw refusal("it is user \(status.st_uid)'s") }
    guard status.st_nlink == 1 else {
      throw refusal("it has another name (a hard link) that another user can have put there")
    }
  }

  private func refusal(_ cause: String) -> Failure {
    Failure(
      .outputFailed,
      "can't write to \(Message.printable(path)): \(cause); root writes to such a folder only what is new or its own")
  }

  private static func failure(_ path: String, _ code: Int32) -> Failure {
    Failure(.outputFailed, "can't write to \(Message.printable(path)): \(String(cString: strerror(code)))")
  }
}

/// A folder on the way, held so that nobody can put another one in its place.
private struct Folder: ~Copyable {
  static let flags = Int32(TCPSTATE_O_PATH) | O_DIRECTORY | O_CLOEXEC

  let number: Int32
  let status: stat

  init(_ number: Int32) {
    self.number = number
    var status = stat()
    fstat(number, &status)
    self.status = status
  }

  deinit { if number >= 0 { close(number) } }

  var isSticky: Bool { status.st_mode & S_ISVTX != 0 }

  var isProc: Bool {
    var filesystem = statfs()
    return fstatfs(number, &filesystem) == 0 && filesystem.f_type == 0x9fa0  // PROC_SUPER_MAGIC
  }
}

/// Users that can't mislead root: root itself, and the user who called it with sudo.
private struct OutputUsers {
  private let user = Self.number("SUDO_UID")
  private let group = Self.number("SUDO_GID")

  func trust(_ user: uid_t) -> Bool { user == 0 || user == self.user }

  /// Whether nobody else can put anything into it.
  func trust(_ folder: borrowing Folder) -> Bool {
    let status = folder.status
    guard trust(status.st_uid), status.st_mode & S_IWOTH == 0 else { return false }
    return status.st_mode & S_IWGRP == 0 || status.st_gid == 0 || status.st_gid == group
  }

  private static func number(_ name: String) -> UInt32? { getenv(name).flatMap { UInt32(String(cString: $0)) } }
}
