// SPDX-License-Identifier: Apache-2.0
import Glibc

/// A process with pipes, read without threads: waiting for something reads them.
///
/// The process is killed when this value goes away. For one thread only.
public final class ChildProcess {
  public enum Output: Sendable {
    case pipe
    /// A file, created or truncated.
    case file(String)
    /// A terminal of so many columns, whose line ends arrive as CR LF.
    case terminal(columns: UInt16)
  }

  public enum Ending: Equatable, Sendable {
    case exited(Int32)
    case killed(Int32)
  }

  public let pid: pid_t
  public private(set) var ending: Ending?
  /// What the pipes have delivered so far.
  public private(set) var output: [UInt8] = []
  public private(set) var errors: [UInt8] = []

  private var input: Int32
  private var outputPipe: Int32 = -1
  private var errorPipe: Int32 = -1

  /// - Parameters:
  ///   - arguments: the program, looked up in PATH, and its arguments.
  ///   - errorsToTerminal: whether its standard error is a terminal, whose line ends arrive as CR LF.
  public init(_ arguments: [String], output: Output = .pipe, errorsToTerminal: Bool = false) throws {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    var childEnds: [Int32] = []
    defer { for end in childEnds { close(end) } }

    let stdin = try Self.pipe()
    posix_spawn_file_actions_adddup2(&actions, stdin.read, 0)
    let stderr = errorsToTerminal ? try Self.terminal() : try Self.pipe()
    posix_spawn_file_actions_adddup2(&actions, stderr.write, 2)
    childEnds += [stdin.read, stderr.write]
    switch output {
    case .pipe:
      let stdout = try Self.pipe()
      posix_spawn_file_actions_adddup2(&actions, stdout.write, 1)
      childEnds.append(stdout.write)
      outputPipe = stdout.read
    case .terminal(let columns):
      let stdout = try Self.terminal(columns)
      posix_spawn_file_actions_adddup2(&actions, stdout.write, 1)
      childEnds.append(stdout.write)
      outputPipe = stdout.read
    case .file(let path):
      posix_spawn_file_actions_addopen(&actions, 1, path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    }
    input = stdin.write
    errorPipe = stderr.read
    pid = try Self.spawn(arguments, &actions)
  }

  private static func spawn(
    _ arguments: [String], _ actions: inout posix_spawn_file_actions_t
  ) throws -> pid_t {
    // The test runner's threads may have blocked signals.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    var all = sigset_t()
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

    var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
    argv.append(nil)
    defer { for argument in argv { free(argument) } }
    var pid: pid_t = 0
    let code = posix_spawnp(&pid, arguments[0], &actions, &attributes, argv, environ)
    guard code == 0 else { throw TestFailure("can't run \(arguments[0]): \(String(cString: strerror(code)))") }
    return pid
  }

  deinit {
    if ending == nil {
      kill(pid, SIGKILL)
      var status: Int32 = 0
      waitpid(pid, &status, 0)
    }
    for descriptor in [input, outputPipe, errorPipe] where descriptor >= 0 { close(descriptor) }
  }

  /// Close-on-exec, so that no other child keeps an end open.
  private static func pipe() throws -> (read: Int32, write: Int32) {
    var ends: [Int32] = [0, 0]
    guard Glibc.pipe(&ends) == 0 else { throw TestFailure("pipe: \(String(cString: strerror(errno)))") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
  }

  /// A terminal to write to, and the end that its window would read.
  private static func terminal(_ columns: UInt16? = nil) throws -> (read: Int32, write: Int32) {
    // asm-generic/ioctls.h; TIOCGPTPEER opens the other end without going through /dev/pts.
    let (unlock, openPeer): (UInt, UInt) = (0x4004_5431, 0x5441)
    var isLocked: CInt = 0
    let window = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    guard window >= 0, ioctl(window, unlock, &isLocked) == 0,
      case let end = ioctl(window, openPeer, O_RDWR | O_NOCTTY | O_CLOEXEC), end >= 0
    else { throw TestFailure("a terminal: \(String(cString: strerror(errno)))") }
    if let columns {
      var size = winsize(ws_row: 50, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
      _ = ioctl(window, UInt(TIOCSWINSZ), &size)
    }
    return (window, end)
  }

  public var outputText: String { String(decoding: output, as: UTF8.self) }
  public var errorText: String { String(decoding: errors, as: UTF8.self) }
  public var errorLines: [Substring] { errorText.split(separator: "\n") }

  public func send(_ signal: Int32) { kill(pid, signal) }

  public func write(_ text: String) throws {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(input, $0.baseAddress, $0.count) }
      guard count > 0 else { throw TestFailure("the process no longer reads: \(errorText)") }
      rest = rest.dropFirst(count)
    }
  }

  public func closeInput() {
    if input >= 0 { close(input) }
    input = -1
  }

  /// Stops reading its standard output, like a reader that has gone away.
  public func closeOutput() {
    if outputPipe >= 0 { close(outputPipe) }
    outputPipe = -1
  }

  /// Reads until `condition` holds, checking it after each piece of output.
  ///
  /// - Parameter what: what the test waits for, for the failure's text.
  public func read(until deadline: Deadline, _ what: String, _ condition: (ChildProcess) -> Bool) throws {
    while !condition(self) {
      guard outputPipe >= 0 || errorPipe >= 0 else {
        throw TestFailure("\(what): the process ended first; its errors: \(errorText)")
      }
      guard !deadline.hasPassed else { throw TestFailure("\(what): nothing in time; its errors: \(errorText)") }
      readSome(deadline.milliseconds)
    }
  }

  /// Reads what arrives within that time, if anything does.
  public func read(during milliseconds: Int32) {
    let deadline = Deadline(seconds: Double(milliseconds) / 1000)
    while !deadline.hasPassed, outputPipe >= 0 || errorPipe >= 0 { readSome(deadline.milliseconds) }
  }

  private func readSome(_ milliseconds: Int32) {
    var polled = [
      pollfd(fd: outputPipe, events: Int16(POLLIN), revents: 0),
      pollfd(fd: errorPipe, events: Int16(POLLIN), revents: 0),
    ]
    guard poll(&polled, 2, milliseconds) > 0 else { return }
    if polled[0].revents != 0 { Self.take(&outputPipe, &output) }
    if polled[1].revents != 0 { Self.take(&errorPipe, &errors) }
  }

  private static func take(_ descriptor: inout Int32, _ bytes: inout [UInt8]) {
    withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 1) { buffer in
      let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
      if count > 0 {
        bytes.append(contentsOf: buffer[..<count])
      } else {
        close(descriptor)
        descriptor = -1
      }
    }
  }

  /// Reads everything until the process has ended.
  @discardableResult
  public func wait(until deadline: Deadline) throws -> Ending {
    if let ending { return ending }
    while outputPipe >= 0 || errorPipe >= 0 {
      guard !deadline.hasPassed else { throw TestFailure("the process doesn't end; its errors: \(errorText)") }
      readSome(deadline.milliseconds)
    }
    var status: Int32 = 0
    while waitpid(pid, &status, WNOHANG) == 0 {
      guard !deadline.hasPassed else { throw TestFailure("the process doesn't end; its errors: \(errorText)") }
      usleep(1000)
    }
    let signal = status & 0x7f
    let result: Ending = signal == 0 ? .exited(status >> 8 & 0xff) : .killed(signal)
    ending = result
    return result
  }

  /// Runs a program until it exits.
  @discardableResult
  public static func run(_ arguments: [String], output: Output = .pipe, seconds: Double = 20) throws -> ChildProcess {
    let process = try ChildProcess(arguments, output: output)
    process.closeInput()
    try process.wait(until: Deadline(seconds: seconds))
    return process
  }
}
