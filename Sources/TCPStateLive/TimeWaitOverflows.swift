// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Whether the kernel has refused TIME-WAIT minisocks because there are too
/// many (tcp_max_tw_buckets): TCPTimeWaitOverflow of /proc/net/netstat.
struct TimeWaitOverflows {
  private var last = Self.read()

  /// Whether there were any since the last call.
  mutating func grew() -> Bool {
    let now = Self.read()
    defer { last = now }
    return now > last
  }

  /// The counter of this process's namespace. Each namespace has its own limit, so overflows elsewhere stay unseen.
  private static func read() -> UInt64 {
    guard let file = fopen("/proc/self/net/netstat", "re") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 8192)
    var names: [Substring] = []
    while fgets(&line, Int32(line.count), file) != nil {
      let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      guard text.hasPrefix("TcpExt:") else { continue }
      let words = text.split(whereSeparator: { $0 == " " || $0 == "\n" })
      if names.isEmpty {
        names = words.map { $0 }
      } else if let index = names.firstIndex(of: "TCPTimeWaitOverflow"), index < words.count {
        return UInt64(words[index]) ?? 0
      }
    }
    return 0
  }
}
