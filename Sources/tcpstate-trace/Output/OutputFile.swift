// SPDX-License-Identifier: Apache-2.0
import Glibc
import TCPStateProgram
import TCPStateReport

/// Where rows go: a file, a pipe or a terminal.
///
/// A slow reader never stops the tracer: what a pipe or terminal doesn't take
/// waits here, and whole rows go out as room comes up.
struct OutputFile: ~Copyable {
  /// The most bytes that wait before the caller should stop producing.
  static let highWater = NoticeText.mostWaiting
  private static let usualCapacity = 256 * 1024

  let descriptor: Int32
  let name: String
  private let isRegularFile: Bool
  private let owned: Bool
  /// What is to be written, behind what was and still has to be removed.
  var pending = ByteBuffer(capacity: OutputFile.usualCapacity)
  /// Bytes at the front of `pending` that the reader has: moving the rest down each time would be quadratic.
  private var taken = 0
  /// Where the next byte goes in a regular file.
  private var offset: Int
  /// Bytes of a row that is written in part only.
  private var partial = 0
  /// Whether the reader is gone.
  private(set) var isClosed = false

  /// How the file begins: untouched until there is something to write, so that whatever fails before leaves it as it was.
  private var beginning = Beginning.asItWas
  private let opened: OutputPath.Opened
  private let patient: PatientDescriptor
  /// Of the file when it was opened.
  private let status: stat
  /// Whether there is something in the file that stays.
  private let appends: Bool
  /// Whether there is something to add to.
  let continues: Bool

  private enum Beginning {
    case asItWas
    /// All is there, even if that is nothing.
    case complete
    case begun
  }

  /// A new file is its maker's alone (0600); one that was there keeps its mode, and what is in it until the first bytes
  /// are written, or until `complete()`.
  ///
  /// - Parameters:
  ///   - path: `nil` or `-` is standard output.
  ///   - appends: whether what is in the file stays.
  init(path: String?, appends: Bool = false) throws(Failure) {
    let file = path == "-" ? nil : path
    let name = file.map { Message.printable($0) } ?? "standard output"
    let opened = try Self.open(file, name, appends: appends)
    self.opened = opened
    self.name = name
    owned = file != nil
    descriptor = opened.descriptor
    patient = owned ? PatientDescriptor(own: opened.descriptor) : .standardOutput
    status = opened.status
    isRegularFile = status.st_mode & S_IFMT == S_IFREG
    self.appends = appends
    continues = appends && isRegularFile && status.st_size > 0
    if !owned { beginning = .begun }
    offset = Self.place(descriptor, status)
  }

  /// Opens it for this process alone.
  ///
  /// - Parameter path: `nil` is standard output.
  private static func open(_ path: String?, _ name: String, appends: Bool) throws(Failure) -> OutputPath.Opened {
    guard let path else {
      var opened = OutputPath.Opened(descriptor: 1, isNew: false)
      opened.status = try status(1, name)
      try FileClaims.write(opened.status, name)
      return opened
    }
    var opened = try OutputPath.open(path)
    do throws(Failure) {
      opened.status = try status(opened.descriptor, name)
      try FileClaims.write(opened.status, name)
      if FileClaims.Identity(opened.status) != nil {
        try FileLock.take(opened.descriptor, name)
        if appends { opened.reader = try FileTail.open(opened.descriptor, name) }
      }
    } catch {
      close(opened, removing: opened.isNew)
      throw error
    }
    if opened.isNew { giveToCaller(opened.descriptor) }
    return opened
  }

  /// Without it, nobody would know whether there is something to keep, or to replace.
  private static func status(_ descriptor: Int32, _ name: String) throws(Failure) -> stat {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw Failure(.outputFailed, "can't write to \(name): \(String(cString: strerror(errno)))")
    }
    return status
  }

  deinit {
    guard owned else { return }
    FileClaims.endWriting(status)
    Self.close(opened, removing: opened.isNew && beginning == .asItWas)
  }

  /// - Parameter removing: a file that was made for nothing.
  private static func close(_ opened: OutputPath.Opened, removing: Bool) {
    if removing, opened.folder != -1 {
      var made = stat()
      var there = stat()
      fstat(opened.descriptor, &made)
      _ = RawText.withPath(opened.name[...]) { name in
        guard fstatat(opened.folder, name, &there, AT_SYMLINK_NOFOLLOW) == 0, there.st_ino == made.st_ino,
          there.st_dev == made.st_dev
        else { return Int32(-1) }
        return unlinkat(opened.folder, name, 0)
      }
    }
    Glibc.close(opened.descriptor)
    for other in [opened.folder, opened.reader] where other >= 0 { Glibc.close(other) }
  }

  private static func place(_ descriptor: Int32, _ status: stat) -> Int {
    fcntl(descriptor, F_GETFL) & O_APPEND != 0 ? Int(status.st_size) : max(0, Int(lseek(descriptor, 0, SEEK_CUR)))
  }

  /// Appends a header, unless the file to which rows are added has it already; it must be the same then.
  mutating func appendHeader(_ header: borrowing ByteBuffer) throws(Failure) {
    guard continues else { return pending.append(header) }
    guard FileTail.begins(with: header, reader: opened.reader) else {
      throw Failure(
        .usage, "can't append to \(name): its first line is not the same header; use the same --format and --columns")
    }
  }

  /// Nothing more comes: if nothing came at all, the result is an empty file.
  mutating func complete() {
    if beginning == .asItWas { beginning = .complete }
  }

  /// Empties what was there, once, or what a killed program has left of its last row.
  private mutating func begin() throws(Failure) {
    let isEmpty = waiting == 0
    guard beginning != .begun, !isEmpty || beginning == .complete else { return }
    if isRegularFile, appends {
      offset = try FileTail.repair(descriptor, reader: opened.reader, name)
    } else if isRegularFile, !opened.isNew {
      while ftruncate(descriptor, 0) != 0 {
        guard errno == EINTR else {
          throw Failure(.outputFailed, "can't empty \(name): \(String(cString: strerror(errno)))")
        }
      }
      offset = 0
      if status.st_size > 0 {
        Message.line("Replacing what was in \(name): \(ByteCountText.string(UInt64(status.st_size))).")
      }
    }
    // Only now: whoever writes what is left after a failure must not add it to what was there.
    beginning = .begun
  }

  /// Whoever shortens the file (logrotate's copytruncate) gets no gap of zeros.
  private mutating func followTruncation() {
    var status = stat()
    guard isRegularFile, fstat(descriptor, &status) == 0, status.st_size < offset else { return }
    offset = Int(status.st_size)
    lseek(descriptor, status.st_size, SEEK_SET)
    guard partial > 0 else { return }
    // The row's first half is gone with the rest: the second is no row.
    partial = 0
    let taken = taken
    let rest = pending.withBytes { bytes in
      bytes[taken...].firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 - taken } ?? bytes.count - taken
    }
    remove(rest)
  }

  /// Under sudo the file belongs to the user who called it, who couldn't read it otherwise.
  private static func giveToCaller(_ descriptor: Int32) {
    guard geteuid() == 0, let user = getenv("SUDO_UID").flatMap({ UInt32(String(cString: $0)) }),
      let group = getenv("SUDO_GID").flatMap({ UInt32(String(cString: $0)) })
    else { return }
    _ = fchown(descriptor, user, group)
  }

  /// Whether a file has so much waiting that it is better written now.
  @inline(__always)
  var isFullBlock: Bool { isRegularFile && waiting >= Self.block }

  /// Twice a level 1 cache and still well inside level 2.
  private static let block = 128 * 1024
  /// The kernel takes whole pages at half the cost of torn ones.
  private static let page = 4096

  private enum Progress {
    case done
    /// The reader takes no more for now; wait until the descriptor is writable.
    case waiting
    /// The reader is gone.
    case closed
  }

  /// Writes the whole pages of a full block, which is in the cache yet; a row may be torn until the next write.
  mutating func writeBlock() throws(Failure) {
    _ = try write(atMost: (offset + waiting) / Self.page * Self.page - offset)
  }

  /// Writes all of it, waiting for the reader; one that goes away, as `head` does, has had enough.
  mutating func writeOut() throws(Failure) {
    while try flush() { waitForReader() }
  }

  /// Waits until the reader takes more, or is gone.
  private func waitForReader() {
    var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    _ = Glibc.poll(&poll, 1, -1)
  }

  /// Writes what it can without being held up; once the reader is gone, nothing any more.
  ///
  /// - Returns: whether some has to wait for the reader.
  mutating func flush() throws(Failure) -> Bool {
    try begin()
    if !isClosed {
      switch try write(atMost: .max) {
      case .done: return false
      case .waiting: return true
      case .closed: isClosed = true
      }
    }
    remove(waiting)
    return false
  }

  /// Bytes that wait for the reader.
  @inline(__always)
  var waiting: Int { pending.count - taken }

  /// What is said of bytes that nobody read.
  static func unread(_ bytes: Int) -> String {
    "the output's reader has stopped reading; the last \(NumberText.string(UInt64(bytes))) bytes are missing"
  }

  private mutating func remove(_ count: Int) {
    taken += count
    if taken >= waiting {
      pending.removeFirst(taken)
      taken = 0
    }
    // A backlog leaves no memory behind.
    if pending.isEmpty, pending.capacity > 64 * Self.usualCapacity {
      pending = ByteBuffer(capacity: Self.usualCapacity)
    }
  }

  private mutating func write(atMost wanted: Int) throws(Failure) -> Progress {
    try begin()
    if waiting > 0 { followTruncation() }
    let left = wanted < waiting ? waiting - wanted : 0
    while waiting > left {
      var limit = waiting - left
      if !isRegularFile {
        var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        let ready = Glibc.poll(&poll, 1, 0)
        if ready == 0 { return .waiting }
        if ready > 0, Int32(poll.revents) & POLLERR != 0, Int32(poll.revents) & POLLOUT == 0 { return .closed }
        limit = 4096  // PIPE_BUF: a ready pipe takes this much at once
      }
      var failure: Int32 = 0
      let taken = taken
      let written = pending.withBytes { bytes in
        let bytes = UnsafeRawBufferPointer(rebasing: bytes[taken...])
        let count = isRegularFile ? limit : Self.wholeRows(bytes, limit: limit)
        let written = patient.write(bytes.baseAddress, count)
        failure = errno
        return written
      }
      if written < 0 {
        switch failure {
        case EINTR: continue
        case EAGAIN: return .waiting
        case EPIPE: return .closed
        default:
          takeBackPartial()
          throw Failure(
            .outputFailed,
            "can't write to \(name): \(String(cString: strerror(failure))); what was written before is whole")
        }
      }
      noteRows(written)
      remove(written)
    }
    return .done
  }

  /// Sees where the last row ends that is whole.
  private mutating func noteRows(_ written: Int) {
    guard isRegularFile else { return }
    offset += written
    let taken = taken
    partial = pending.withBytes { bytes in
      var end = written
      while end > 0, bytes[taken + end - 1] != UInt8(ascii: "\n") { end -= 1 }
      return end > 0 ? written - end : partial + written
    }
  }

  /// A disk that is full takes a part of what it is given; that part of a row is
  /// cut off again, unless others write to the file too.
  private mutating func takeBackPartial() {
    let position = lseek(descriptor, 0, SEEK_CUR)
    var status = stat()
    guard partial > 0, position >= partial, fstat(descriptor, &status) == 0, status.st_size == position,
      ftruncate(descriptor, position - partial) == 0
    else { return }
    lseek(descriptor, position - partial, SEEK_SET)
    offset -= partial
    partial = 0
  }

  /// As many whole rows as fit into `limit` bytes; all of it when not even one fits.
  private static func wholeRows(_ bytes: UnsafeRawBufferPointer, limit: Int) -> Int {
    guard bytes.count > limit else { return bytes.count }
    var end = limit
    while end > 0, bytes[end - 1] != UInt8(ascii: "\n") { end -= 1 }
    return end > 0 ? end : limit
  }
}
