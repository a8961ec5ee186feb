// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import TCPStateProgram

/// Opens the file for the output where somebody may have put something in the way.
///
/// Root can write anywhere, so it must not be led there: in a folder that others can write to, or
/// that belongs to somebody else, there could be a planted symbolic link, a hard link to another
/// file, a FIFO, or a file that its maker is to read. fs.protected_symlinks and its likes guard
/// sticky folders only, where they are on. So root walks the path itself, one component after the other.
///
/// A path is bytes, split at 0x2f as the kernel does it. Each component is opened first and then looked at
/// through its descriptor, so that nobody can put another one in its place in between.
struct OutputPath: ~Copyable {
  /// As path_resolution(7) has it.
  private static let mostLinks = 40
  /// How often a name may change under our hands.
  private static let mostTries = 10
  private static let slash = UInt8(ascii: "/")
  /// A FIFO's reader isn't waited for here, where no signal would be heeded.
  private static let flags = O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
  private static let flagsOfNew = flags | O_CREAT | O_EXCL

  /// An open output. What was in it still is.
  struct Opened {
    var descriptor: Int32
    /// Whether the file is new, and so empty.
    var isNew: Bool
    /// The folder and the name in it, by which a new file can be removed again; -1 for none.
    var folder: Int32 = -1
    var name: [UInt8] = []
    /// The same file for reading, if rows are added to it; else -1.
    var reader: Int32 = -1
    /// What it was when it was opened.
    var status = stat()
  }

  private let path: String
  private let users = OutputUsers()
  private var folder: Folder
  private var rest: [ArraySlice<UInt8>]
  private var links = 0
  private var tries = 0

  /// - Parameter path: as `RawText` has it.
  static func open(_ path: String) throws(Failure) -> Opened {
    if geteuid() == 0 {
      var walk = try OutputPath(path)
      return try walk.open()
    }
    for _ in 0..<mostTries {
      let new = RawText.withPath(path) { Glibc.open($0, flagsOfNew, 0o600) }
      if new >= 0 {
        let name = RawText.bytes(path)
        return Opened(descriptor: new, isNew: true, folder: AT_FDCWD, name: name)
      }
      guard errno == EEXIST else { throw failure(path, errno) }
      // The name can be a symbolic link that leads nowhere yet.
      let descriptor = try waitForReader(path) { RawText.withPath(path) { Glibc.open($0, flags | O_CREAT, 0o600) } }
      if descriptor >= 0 { return Opened(descriptor: descriptor, isNew: false) }
      guard errno == ENOENT else { throw failure(path, errno) }
    }
    throw failure(path, ENOENT)
  }

  private init(_ path: String) throws(Failure) {
    self.path = path
    let bytes = RawText.bytes(path)
    rest = bytes.split(separator: Self.slash)
    folder = Folder(Glibc.open(bytes.first == Self.slash ? "/" : ".", Folder.flags))
    guard folder.number >= 0 else { throw Self.failure(path, errno) }
    guard !bytes.isEmpty else { throw Self.failure(path, ENOENT) }
    guard !rest.isEmpty, bytes.last != Self.slash else { throw Self.failure(path, EISDIR) }
  }

  private mutating func open() throws(Failure) -> Opened {
    while !rest.isEmpty {
      let name = rest.removeFirst()
      let entry = Folder(openat(name, Folder.flags & ~O_DIRECTORY | O_NOFOLLOW))
      if entry.number < 0 {
        guard errno == ENOENT, rest.isEmpty else { throw Self.failure(path, errno) }
        if let new = try create(name) { return new }
      } else if entry.isLink, folder.isProc {
        // In /proc a link isn't a path; it is followed by the kernel.
        if rest.isEmpty { return try openLast(name, follows: true) }
        folder = Folder(openat(name, Folder.flags))
        guard folder.number >= 0 else { throw Self.failure(path, errno) }
      } else if entry.isLink {
        try follow(entry, name)
      } else if rest.isEmpty {
        if let opened = try openExisting(entry, name) { return opened }
      } else {
        guard entry.isFolder else { throw Self.failure(path, ENOTDIR) }
        folder = entry
      }
    }
    throw Self.failure(path, EISDIR)
  }

  private func openat(_ name: ArraySlice<UInt8>, _ flags: Int32) -> Int32 {
    let folder = folder.number
    return RawText.withPath(name) { Glibc.openat(folder, $0, flags, 0o600) }
  }

  /// - Returns: `nil` if somebody was faster; the name is looked at again then.
  private mutating func create(_ name: ArraySlice<UInt8>) throws(Failure) -> Opened? {
    let descriptor = openat(name, Self.flagsOfNew)
    if descriptor >= 0 {
      let folder = fcntl(folder.number, F_DUPFD_CLOEXEC, 3)
      return Opened(descriptor: descriptor, isNew: true, folder: folder, name: Array(name))
    }
    guard errno == EEXIST else { throw Self.failure(path, errno) }
    try again(name)
    return nil
  }

  private mutating func again(_ name: ArraySlice<UInt8>) throws(Failure) {
    tries += 1
    guard tries < Self.mostTries else { throw refusal("'\(Self.text(name))' is being replaced again and again") }
    rest = [name]
  }

  private mutating func follow(_ link: borrowing Folder, _ name: ArraySlice<UInt8>) throws(Failure) {
    // In a sticky folder its owner can replace a link, and anybody can move one there that root has made elsewhere.
    guard users.trust(folder) else {
      throw refusal("'\(Self.text(name))' is a symbolic link that another user can have put there")
    }
    links += 1
    guard links <= Self.mostLinks else { throw Self.failure(path, ELOOP) }
    var text = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = text.withUnsafeMutableBytes { bytes in
      bytes.baseAddress.map { readlinkat(link.number, "", $0, bytes.count) } ?? -1
    }
    guard count > 0, count < text.count else { throw Self.failure(path, count < 0 ? errno : ENAMETOOLONG) }
    let target = text[..<count]
    rest = target.split(separator: Self.slash) + rest
    if target.first == Self.slash { folder = Folder(Glibc.open("/", Folder.flags)) }
    if rest.isEmpty { throw Self.failure(path, EISDIR) }
  }

  /// What is at the path already and is no link.
  ///
  /// - Returns: `nil` if it isn't there any more.
  private mutating func openExisting(
    _ entry: borrowing Folder, _ name: ArraySlice<UInt8>
  ) throws(Failure) -> Opened? {
    let isTrusted = users.trust(folder) || folder.isProc
    if !isTrusted { try check(entry.status) }
    let opened = try openLast(name, follows: false)
    // The name may be another's by now: what was opened is what counts.
    guard Folder.status(opened.descriptor).st_ino == entry.status.st_ino,
      Folder.status(opened.descriptor).st_dev == entry.status.st_dev
    else {
      close(opened.descriptor)
      try again(name)
      return nil
    }
    guard !isTrusted else { return opened }
    do throws(Failure) {
      try check(Folder.status(opened.descriptor))
    } catch {
      close(opened.descriptor)
      throw error
    }
    return opened
  }

  private func openLast(_ name: ArraySlice<UInt8>, follows: Bool) throws(Failure) -> Opened {
    let flags = follows ? Self.flags : Self.flags | O_NOFOLLOW
    let descriptor = try Self.waitForReader(path) { openat(name, flags) }
    guard descriptor >= 0 else { throw Self.failure(path, errno) }
    return Opened(descriptor: descriptor, isNew: false)
  }

  /// Opens, and waits for the reader of a FIFO as long as no signal asks for the end.
  ///
  /// The event loop may have blocked the signals already; then they are pending.
  private static func waitForReader(_ path: String, _ open: () -> Int32) throws(Failure) -> Int32 {
    while true {
      let descriptor = open()
      guard descriptor < 0, errno == ENXIO else { return descriptor }
      if Signals.askForEnd {
        throw Failure(.outputFailed, "can't write to \(Message.printable(path)): nobody has opened the FIFO to read it")
      }
      usleep(50_000)
    }
  }

  private func check(_ status: stat) throws(Failure) {
    guard users.trust(status.st_uid) else { throw refusal("it is user \(status.st_uid)'s") }
    guard status.st_nlink == 1 || status.st_mode & S_IFMT == S_IFDIR else {
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

  private static func text(_ name: ArraySlice<UInt8>) -> String { Message.printable(RawText.text(Array(name))) }
}

/// A folder on the way, or what is in one, held so that nobody can put another one in its place.
private struct Folder: ~Copyable {
  static let flags = Int32(TCPSTATE_O_PATH) | O_DIRECTORY | O_CLOEXEC

  let number: Int32
  let status: stat

  /// - Parameter number: is closed with this value; `errno` is left as it is.
  init(_ number: Int32) {
    self.number = number
    status = number >= 0 ? Self.status(number) : stat()
  }

  deinit { if number >= 0 { close(number) } }

  static func status(_ number: Int32) -> stat {
    var status = stat()
    fstat(number, &status)
    return status
  }

  var isLink: Bool { status.st_mode & S_IFMT == S_IFLNK }
  var isFolder: Bool { status.st_mode & S_IFMT == S_IFDIR }

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
