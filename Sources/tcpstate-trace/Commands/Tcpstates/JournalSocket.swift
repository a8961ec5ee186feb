// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import TCPStateReport

/// A connection to systemd-journald, by its native protocol: an entry a datagram, and one that is
/// too large for that in a sealed memory file whose descriptor is sent.
///
/// A journal that is behind doesn't stop the tracer: entries wait here for their turn.
final class JournalSocket {
  static let defaultPath = "/run/systemd/journal/socket"

  /// The most entries that wait, about half a kilobyte each.
  private static let capacity = 100_000
  /// How long the journal may take for the last of them, in milliseconds.
  private static let patience: Int32 = 5000

  private static let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)

  private let path: String
  private var descriptor: Int32 = -1
  private var waiting: [[UInt8]] = []
  /// How many of `waiting` are sent.
  private var sent = 0
  private var dropped: UInt64 = 0

  init(path: String) throws(Failure) {
    self.path = path
    try connect()
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// - Parameter entry: serialized, as `JournalEntry.bytes`.
  func add(_ entry: [UInt8]) {
    guard waiting.count - sent < Self.capacity else {
      dropped += 1
      return
    }
    waiting.append(entry)
  }

  /// Sends what the journal takes without being held up.
  func flush() throws(Failure) {
    while sent < waiting.count {
      let code = send(waiting[sent])
      switch code {
      case 0: sent += 1
      case EINTR: continue
      case EAGAIN, ENOBUFS: return compact()
      case ECONNREFUSED, ECONNRESET, ENOTCONN, EPIPE, EDESTADDRREQ: try connect()  // it was started anew
      default: throw failure("write to", code)
      }
    }
    compact()
  }

  /// Sends all that is left, and reports what the journal didn't take.
  func finish() throws(Failure) {
    try flush()
    while sent < waiting.count {
      var writable = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
      guard poll(&writable, 1, Self.patience) > 0 else { break }
      try flush()
    }
    dropped += UInt64(waiting.count - sent)
    waiting = []
    sent = 0
    guard dropped > 0 else { return }
    Message.error("the journal was behind and did not get \(NumberText.string(dropped)) entries")
  }

  private func compact() {
    // Moving the rest down each time would be quadratic while the journal is behind.
    guard sent == waiting.count || sent > 4096 else { return }
    waiting.removeFirst(sent)
    sent = 0
  }

  private func connect() throws(Failure) {
    if descriptor >= 0 { close(descriptor) }
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw failure("open a socket for", errno) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let capacity = MemoryLayout.size(ofValue: address.sun_path)
    let bytes = RawText.bytes(path)
    guard bytes.count < capacity else { throw failure("connect to", ENAMETOOLONG) }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    // The pointer is valid for the call; every sockaddr begins alike.
    let code = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0 ? 0 : errno
      }
    }
    guard code == 0 else { throw failure("connect to", code) }
  }

  private func failure(_ what: String, _ code: Int32) -> Failure {
    Failure(
      .outputFailed,
      "can't \(what) the journal at \(Message.printable(path)): \(String(cString: strerror(code))); is systemd-journald running?"
    )
  }

  /// - Returns: 0 or the errno.
  private func send(_ entry: [UInt8]) -> Int32 {
    let count = Glibc.send(descriptor, entry, entry.count, Self.flags)
    if count >= 0 { return 0 }
    return errno == EMSGSIZE ? sendAsFile(entry) : errno
  }

  private func sendAsFile(_ entry: [UInt8]) -> Int32 {
    let file = memfd_create("tcpstates", UInt32(TCPSTATE_MFD_CLOEXEC_ALLOW_SEALING))
    guard file >= 0 else { return errno }
    defer { close(file) }
    guard write(file, entry, entry.count) == entry.count else { return EMSGSIZE }
    guard fcntl(file, Int32(TCPSTATE_F_ADD_SEALS), Int32(TCPSTATE_F_SEAL_ALL)) == 0 else { return errno }
    // struct cmsghdr and one descriptor, padded: CMSG_SPACE(sizeof(int)).
    var control: [UInt64] = Array(repeating: 0, count: 3)
    return control.withUnsafeMutableBytes { control in
      control.storeBytes(of: 20, as: Int.self)  // CMSG_LEN(sizeof(int))
      control.storeBytes(of: SOL_SOCKET, toByteOffset: 8, as: Int32.self)
      control.storeBytes(of: Int32(SCM_RIGHTS), toByteOffset: 12, as: Int32.self)
      control.storeBytes(of: file, toByteOffset: 16, as: Int32.self)
      var message = msghdr()
      message.msg_control = control.baseAddress
      message.msg_controllen = control.count
      return sendmsg(descriptor, &message, Self.flags) < 0 ? errno : 0
    }
  }
}
