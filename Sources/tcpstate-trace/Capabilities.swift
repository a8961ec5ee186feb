import Glibc

/// What this process may do, from /proc/self/status.
enum Capabilities {
  /// CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN, which includes them (capabilities(7)).
  static var canTrace: Bool {
    let bits = effective
    return has(21, bits) || (has(39, bits) && has(38, bits))
  }

  private static func has(_ capability: UInt64, _ bits: UInt64) -> Bool { bits >> capability & 1 == 1 }

  private static var effective: UInt64 {
    guard let file = fopen("/proc/self/status", "re") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while fgets(&line, 256, file) != nil {
      if strncmp(line, "CapEff:", 7) == 0 { return UInt64(strtoull(Array(line[7...]), nil, 16)) }
    }
    return 0
  }
}
