// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// Files of the invoking user, for a process that may no longer open any: a child reads and writes them, which has that
/// user's rights and no others.
///
/// The child is made first, before the process has threads, descriptors or rights to lose. It ends when this value does.
struct UserFiles: ~Copyable {
  private static let folder = "tcpstate-trace"
  private static let file = "config"
  private static let largest = 64 * 1024

  private let child: pid_t
  private let socket: Int32
  /// The text of the settings; `nil` if there are none.
  let settings: String?
  /// Why the settings can't be read, for people.
  let trouble: String?
  /// Their path, for people; `nil` if no home is known.
  let path: String?

  /// Starts the child. Where that fails there are no settings, and nothing can be written.
  init() {
    var pair: [Int32] = [-1, -1]
    _ = socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &pair)
    let user = InvokingUser()
    let home = user.configurationFolder
    let child = tcpstate_fork()
    if child == 0 {
      close(pair[0])
      Self.serve(pair[1], user, home)
    }
    close(pair[1])
    (self.child, socket) = (child, pair[0])
    path = home.map { "\($0)/\(Self.folder)/\(Self.file)" }
    let (kind, first) = Self.receive(pair[0]) ?? (0, [])
    let text = String(decoding: first, as: UTF8.self)
    settings = kind == Reply.settings.rawValue ? text : nil
    trouble = kind == Reply.trouble.rawValue ? text : nil
  }

  deinit {
    close(socket)
    var status: Int32 = 0
    guard child > 0 else { return }
    while waitpid(child, &status, 0) < 0, errno == EINTR {}
  }

  private enum Request: UInt8 {
    case save = 1
    case export
  }

  private enum Reply: UInt8 {
    case settings = 1
    case none
    case trouble
    case done
  }

  /// Asks for the settings to be replaced; `takeReply` has what becomes of it.
  ///
  /// - Returns: whether the child is there.
  func save(_ text: String) -> Bool { Self.send(Request.save.rawValue, Array(text.utf8), to: socket) }

  /// Asks for a new file in the current folder.
  ///
  /// - Parameters:
  ///   - name: must not exist.
  ///   - what: what it holds, for people: `12 connections`.
  /// - Returns: whether the child is there.
  func export(_ bytes: [UInt8], name: String, what: String) -> Bool {
    Self.send(Request.export.rawValue, Array("\(name)\n\(what)\n".utf8) + bytes, to: socket)
  }

  /// The answer to the oldest request, for people; `nil` if it isn't there yet.
  func takeReply() -> String? {
    var poll = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
    guard Glibc.poll(&poll, 1, 0) > 0, let (_, bytes) = Self.receive(socket) else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }

  // MARK: - The child

  private static func serve(_ socket: Int32, _ user: InvokingUser, _ home: String?) -> Never {
    // Ctrl-C and a hang-up are for the parent, whose end this one notices.
    for number in [SIGINT, SIGHUP, SIGPIPE, SIGQUIT, SIGTSTP] { signal(number, SIG_IGN) }
    for descriptor: Int32 in 0...2 { close(descriptor) }
    for flags in [O_RDONLY, O_WRONLY, O_WRONLY] { _ = open("/dev/null", flags) }
    guard user.become() else { _exit(1) }
    sendSettings(socket, user, home)
    while let (kind, bytes) = receive(socket) {
      let text =
        switch Request(rawValue: kind) {
        case .save: save(bytes, user, home)
        case .export: export(bytes)
        case nil: "unknown request"
        }
      send(Reply.done.rawValue, Array(text.utf8), to: socket)
    }
    _exit(0)
  }

  private static func sendSettings(_ socket: Int32, _ user: InvokingUser, _ home: String?) {
    var (reply, text) = (Reply.none, "")
    do throws(UserFolder.Refusal) {
      if let home, access("\(home)/\(folder)", F_OK) == 0,
        let settings = try UserFolder(folder, in: home, of: user.id, makes: false).read(file, atMost: largest)
      {
        (reply, text) = (.settings, settings)
      }
    } catch {
      (reply, text) = (.trouble, error.text)
    }
    send(reply.rawValue, Array(text.utf8), to: socket)
  }

  private static func save(_ bytes: [UInt8], _ user: InvokingUser, _ home: String?) -> String {
    guard let home else { return "settings not saved: no home folder is known; set XDG_CONFIG_HOME" }
    let path = "\(home)/\(folder)/\(file)"
    do throws(UserFolder.Refusal) {
      try UserFolder(folder, in: home, of: user.id, makes: true).replace(file, with: bytes)
      return "settings saved in \(path)"
    } catch {
      return "settings not saved in \(path): \(error.text)"
    }
  }

  private static func export(_ bytes: [UInt8]) -> String {
    let parts = bytes.split(separator: UInt8(ascii: "\n"), maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3 else { return "unknown request" }
    let (name, what) = (String(decoding: parts[0], as: UTF8.self), String(decoding: parts[1], as: UTF8.self))
    // A link is never followed, because the file has to be new.
    let file = open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard file >= 0 else { return "can't write \(name): \(String(cString: strerror(errno)))" }
    defer { close(file) }
    if let failure = UserFolder.write(Array(parts[2]), to: file) {
      unlink(name)
      return "can't write \(name): \(String(cString: strerror(failure)))"
    }
    return "\(what) written to \(name)"
  }

  // MARK: - Messages: a kind, a length of four bytes, and as many bytes

  /// - Returns: whether the other end is there.
  @discardableResult
  private static func send(_ kind: UInt8, _ bytes: [UInt8], to socket: Int32) -> Bool {
    let length = UInt32(bytes.count)
    let head = [kind] + (0..<4 as Range<UInt32>).map { UInt8(truncatingIfNeeded: length >> ($0 * 8)) }
    return UserFolder.write(head + bytes, to: socket) == nil
  }

  /// Waits for the next message; `nil` when the other end is gone.
  private static func receive(_ socket: Int32) -> (UInt8, [UInt8])? {
    guard let head = receive(5, from: socket) else { return nil }
    let length = head.dropFirst().reversed().reduce(0) { $0 << 8 | Int($1) }
    return receive(length, from: socket).map { (head[0], $0) }
  }

  private static func receive(_ count: Int, from socket: Int32) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    var done = 0
    while done < count {
      let part = bytes.withUnsafeMutableBytes { Glibc.read(socket, $0.baseAddress.map { $0 + done }, count - done) }
      if part > 0 { done += part } else if part == 0 || errno != EINTR { return nil }
    }
    return bytes
  }
}
