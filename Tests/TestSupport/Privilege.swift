// SPDX-License-Identifier: Apache-2.0
import Glibc

/// What the machine allows.
public enum Privilege {
  /// Whether this is root, on a kernel with type information.
  public static var canTrace: Bool {
    geteuid() == 0 && access("/sys/kernel/btf/vmlinux", R_OK) == 0
  }

  /// Where the cgroup v2 hierarchy is mounted.
  public static var cgroupMount: String? {
    guard let file = fopen("/proc/mounts", "re") else { return nil }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 4096)
    while fgets(&line, 4096, file) != nil {
      let words = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self).split(
        separator: " ")
      if words.count > 2, words[2] == "cgroup2" { return String(words[1]) }
    }
    return nil
  }
}
