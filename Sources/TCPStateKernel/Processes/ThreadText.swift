// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// Reads the texts of `/proc/PID/task/TID` (proc(5)). What isn't as expected is unknown.
enum ThreadText {
  /// What `stat` says.
  struct Status: Equatable {
    var name: ShortName
    var run: ThreadActivity.Run
    /// CPU time used, in ticks of sysconf(_SC_CLK_TCK).
    var ticks: UInt64?
    /// The CPU that it ran on last.
    var processor: Int?
  }

  /// A thread chooses its own name, which may contain anything: the last `)` ends it.
  static func status(_ text: String) -> Status? {
    guard let opening = text.firstIndex(of: "("), let closing = text.lastIndex(of: ")"), opening < closing else {
      return nil
    }
    // From field 3 on.
    let fields = text[text.index(after: closing)...].split(whereSeparator: \.isWhitespace)
    guard let letter = fields.first, letter.utf8.count == 1 else { return nil }
    func number(_ field: Int) -> UInt64? { fields.count > field - 3 ? UInt64(fields[field - 3]) : nil }
    var ticks: UInt64?
    if let user = number(14), let system = number(15) { ticks = user.saturatingAdding(system) }
    return Status(
      name: ShortName(text[text.index(after: opening)..<closing]), run: run(letter), ticks: ticks,
      processor: number(39).flatMap { Int(exactly: $0) })
  }

  /// Source: task_state_array, fs/proc/array.c.
  private static func run(_ letter: Substring) -> ThreadActivity.Run {
    switch letter {
    case "R", "W": .running
    case "S", "I", "P": .sleeping
    case "D": .blocked
    case "T": .stopped
    case "t": .traced
    case "Z", "X", "x": .exited
    default: .unknown
    }
  }

  /// Reads `syscall`: a number, six arguments, the stack pointer and the program counter; or `running`; or -1 and the last
  /// two, outside a call.
  static func call(_ text: String) -> ThreadActivity.Call? {
    let words = text.split(whereSeparator: \.isWhitespace)
    guard words.count == 9, let number = Int(words[0]) else { return nil }
    var arguments: [UInt64] = []
    for word in words[1...] {
      guard word.hasPrefix("0x"), let value = UInt64(word.dropFirst(2), radix: 16) else { return nil }
      arguments.append(value)
    }
    // A 32-bit program has its stack there, and other numbers for its calls.
    guard arguments[6] > UInt64(UInt32.max) else { return nil }
    return SystemCallTable.call(number, arguments)
  }

  /// Reads `wchan`, which is 0 for a thread that doesn't wait, and for readers who may not know.
  static func channel(_ text: String) -> String? {
    let name = text.prefix { !$0.isWhitespace }
    let isName = name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f } && !name.isEmpty && name.utf8.count <= 128
    return name == "0" || !isName ? nil : String(name)
  }

  /// Reads from `sched` when a thread ran last, or is running, on its CPU's clock of tasks, in nanoseconds.
  ///
  /// Source: se.exec_start, proc_sched_show_task(), kernel/sched/debug.c.
  static func lastRun(_ text: String) -> UInt64? {
    for line in text.split(separator: "\n") where line.hasPrefix("se.exec_start ") {
      let value = line.split(whereSeparator: \.isWhitespace).last ?? ""
      let parts = value.split(separator: ".", omittingEmptySubsequences: false)
      guard parts.count == 2, parts[1].utf8.count == 6, let milliseconds = UInt64(parts[0]),
        let rest = UInt64(parts[1]),
        milliseconds < UInt64.max / 2_000_000
      else { return nil }
      let time = milliseconds * 1_000_000 + rest
      // The scheduler takes this value for a thread that has never run, or that it is moving to another CPU.
      return time == 0 ? nil : time
    }
    return nil
  }

  /// Reads a line of `status`, such as `TracerPid:	0`.
  static func number(_ name: String, in text: String) -> UInt32? {
    for line in text.split(separator: "\n") where line.hasPrefix(name + ":") {
      return UInt32(line.dropFirst(name.utf8.count + 1).filter { !$0.isWhitespace })
    }
    return nil
  }
}
