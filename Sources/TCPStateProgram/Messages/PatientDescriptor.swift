// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Standard output or error, written to without ever being held up by a reader that doesn't read.
///
/// Others share what the caller has passed, so it must not become non-blocking itself. A pipe and a terminal are
/// opened anew instead (`/proc/self/fd`); where that can't be, poll(2) says what room there is.
public struct PatientDescriptor: Sendable {
  public let number: Int32
  /// Whether `write` never waits.
  public let isNonBlocking: Bool

  public init(_ shared: Int32) {
    var status = stat()
    let isKnown = fstat(shared, &status) == 0
    let kind = status.st_mode & S_IFMT
    let isOurs =
      isKnown && (kind == S_IFIFO || kind == S_IFCHR && isatty(shared) == 1) ? Self.reopen(shared, status) : -1
    number = isOurs >= 0 ? isOurs : shared
    isNonBlocking = isOurs >= 0 || isKnown && kind == S_IFSOCK
    isSocket = isKnown && kind == S_IFSOCK
  }

  private let isSocket: Bool

  public static let standardOutput = PatientDescriptor(1)

  /// One that this process has opened, which doesn't wait anyway.
  public init(own descriptor: Int32) {
    number = descriptor
    isNonBlocking = true
    isSocket = false
  }

  private static func reopen(_ shared: Int32, _ status: stat) -> Int32 {
    let number = open("/proc/self/fd/\(shared)", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
    guard number >= 0 else { return -1 }
    var other = stat()
    guard fstat(number, &other) == 0, other.st_ino == status.st_ino, other.st_dev == status.st_dev else {
      close(number)
      return -1
    }
    return number
  }

  /// Bytes that are written at once: what poll(2) has promised room for in a pipe (PIPE_BUF).
  public var portion: Int { 4096 }

  /// Whether it takes something now; a reader that has gone away shows with the write.
  public var isReady: Bool { poll(0) }

  /// Waits until it takes something, that many milliseconds at most.
  public func wait(_ milliseconds: Int32) { _ = poll(milliseconds) }

  private func poll(_ milliseconds: Int32) -> Bool {
    var poll = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
    return Glibc.poll(&poll, 1, milliseconds) != 0
  }

  /// As write(2); EAGAIN where it would have to wait.
  public func write(_ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    isSocket
      ? Glibc.send(number, bytes, count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)) : Glibc.write(number, bytes, count)
  }
}
