// SPDX-License-Identifier: Apache-2.0
import Glibc
import TCPStateCore
import TCPStateKernel
import TCPStateReport

/// Runs the user's command about sockets: one at a time, at most one a second, for each socket, or for each process whenever
/// the number of its sockets has doubled.
///
/// What is known of a socket goes into the environment, never into the text
/// that the shell reads.
struct CommandRunner: ~Copyable {
  /// The most sockets that wait for their turn; a leak may be faster than that.
  private static let capacity = 1000

  private let command: String
  private let unit: ExecUnit
  /// Sockets so far by process, and at how many the command runs again; 0 stands for none.
  private var counts: [UInt32: (all: Int, next: Int)] = [:]
  private var waiting = TurnQueue<[String]>(capacity: capacity)
  private var running: pid_t?
  private var lastStart: UInt64 = 0
  private var failures: UInt64 = 0

  init(_ command: String, by unit: ExecUnit) {
    self.command = command
    self.unit = unit
  }

  /// - Parameter variables: `NAME=value` each, besides the environment of this process.
  mutating func add(_ variables: [String], for socket: StuckSocket) {
    let process = socket.responsible.first ?? socket.maker
    var variables = variables
    if unit == .process {
      var count = counts[process?.pid ?? 0] ?? (all: 0, next: 1)
      count.all += 1
      let isDue = count.all >= count.next
      if isDue { count.next = count.all * 2 }
      counts[process?.pid ?? 0] = count
      guard isDue else { return }
      variables.append("TCPSTATE_COUNT=\(count.all)")
    }
    waiting.add(variables, process: process?.pid, isOlder: socket.isOlder)
  }

  /// Collects the command that has ended, and starts the next.
  mutating func advance(now: UInt64) {
    if let pid = running {
      var status: Int32 = 0
      guard waitpid(pid, &status, WNOHANG) == pid else { return }
      running = nil
      report(status)
    }
    guard now - lastStart >= 1_000_000_000 || lastStart == 0, let next = waiting.next() else { return }
    lastStart = now
    start(next)
  }

  /// Nothing more is started; what runs goes on by itself.
  mutating func finish() {
    let left = waiting.dropped + UInt64(waiting.count)
    if left > 0 {
      Message.error("--exec was not run for \(NumberText.string(left)) sockets: at most one runs per second")
    }
    if failures > 1 { Message.error("--exec has failed \(NumberText.string(failures)) times") }
  }

  private mutating func report(_ status: Int32) {
    guard status != 0 else { return }
    failures += 1
    let signal = status & 0x7f
    Message.error(
      "--exec: '\(Message.printable(command))' "
        + (signal == 0 ? "ended with status \(status >> 8 & 0xff)" : "was killed by signal \(signal)"))
  }

  private mutating func start(_ variables: [String]) {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    // Standard output is for our rows alone.
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, 2, 1)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // Our signals are blocked for signalfd, and some are ignored: not so in the command.
    var none = sigset_t()
    sigemptyset(&none)
    var ignored = StartUp.ignoredSet
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &ignored)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

    var arguments: [UnsafeMutablePointer<CChar>?] = ["sh", "-c", command].map { (word: String) in
      RawText.withPath(word) { strdup($0) }
    }
    let environment: [UnsafeMutablePointer<CChar>?] = variables.map { (word: String) in strdup(word) }
    defer { for text in arguments + environment { free(text) } }
    arguments.append(nil)
    // What this process has comes after ours, so that ours is found first.
    var inherited: [UnsafeMutablePointer<CChar>?] = []
    var next = environ
    while let entry = next.pointee {
      inherited.append(entry)
      next += 1
    }
    var all = environment + inherited + [nil]
    var pid: pid_t = 0
    let code = posix_spawn(&pid, "/bin/sh", &actions, &attributes, &arguments, &all)
    if code == 0 {
      running = pid
    } else {
      failures += 1
      Message.error("--exec: can't run /bin/sh: \(String(cString: strerror(code)))")
    }
  }
}
