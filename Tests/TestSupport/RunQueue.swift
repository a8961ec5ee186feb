// SPDX-License-Identifier: Apache-2.0
import Glibc

/// How long a thread has been ready to run without getting a CPU: the machine's delay, not the program's.
///
/// Unknown, and therefore 0, on a kernel without CONFIG_SCHED_INFO.
public enum RunQueue {
  /// Nanoseconds that a process's first thread has waited: the second field of /proc/PID/schedstat.
  public static func waited(_ pid: pid_t) -> UInt64 { read("/proc/\(pid)/schedstat") }

  /// The same for the calling thread.
  public static func waited() -> UInt64 { read("/proc/thread-self/schedstat") }

  private static func read(_ path: String) -> UInt64 {
    guard let file = fopen(path, "re") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 128)
    guard fgets(&line, Int32(line.count), file) != nil else { return 0 }
    let words = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self).split(
      separator: " ")
    return words.count > 1 ? UInt64(words[1]) ?? 0 : 0
  }
}
