// SPDX-License-Identifier: Apache-2.0
import Glibc

/// This process's resident memory.
enum ResidentMemory {
  /// From /proc/self/statm (proc_pid_statm(5)); `nil` if it can't be read.
  static func bytes() -> UInt64? {
    let file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    return withUnsafeTemporaryAllocation(byteCount: 128, alignment: 1) { buffer in
      let count = read(file, buffer.baseAddress, buffer.count)
      guard count > 0 else { return nil }
      let words = String(decoding: buffer[..<count], as: UTF8.self).split(separator: " ")
      guard words.count > 1, let pages = UInt64(words[1]) else { return nil }
      return pages * UInt64(sysconf(Int32(_SC_PAGESIZE)))
    }
  }
}
