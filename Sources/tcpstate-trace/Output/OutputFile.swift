import Glibc
import TCPStateReport

/// Where rows go: a file, a pipe or a terminal.
///
/// A slow reader never stops the tracer: what a pipe or terminal doesn't take
/// waits here, and whole rows go out as room comes up.
struct OutputFile: ~Copyable {
  /// The most bytes that wait before the caller should stop producing.
  static let highWater = 256 * 1024 * 1024
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

  /// A new file is its maker's alone (0600); one that was there keeps its mode.
  ///
  /// - Parameter path: `nil` or `-` is standard output.
  init(path: String?) throws(Failure) {
    if let path, path != "-" {
      let file = try OutputPath.open(path)
      descriptor = file.descriptor
      name = Message.printable(path)
      owned = true
      if file.isNew { Self.giveToCaller(descriptor) }
    } else {
      descriptor = 1
      name = "standard output"
      owned = false
    }
    var status = stat()
    isRegularFile = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    offset = fcntl(descriptor, F_GETFL) & O_APPEND != 0 ? Int(status.st_size) : max(0, lseek(descriptor, 0, SEEK_CUR))
  }

  deinit {
    if owned { close(descriptor) }
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

  /// Writes what it can without being held up; once the reader is gone, nothing any more.
  ///
  /// - Returns: whether some has to wait for the reader.
  mutating func flush() throws(Failure) -> Bool {
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
        let written = Glibc.write(descriptor, bytes.baseAddress, count)
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
