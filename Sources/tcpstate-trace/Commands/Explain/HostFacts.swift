// SPDX-License-Identifier: Apache-2.0
import Glibc
import TCPStateReport

/// What this host makes of an explanation, from files below /proc that anybody may read.
enum HostFacts {
  static func of(_ explanation: Explanation) -> Explanation.Host {
    var host = Explanation.Host()
    for name in explanation.settings {
      forEachLine(of: "/proc/sys/net/ipv4/\(name)") { line in
        host.settings[name] = line.split(whereSeparator: \.isWhitespace).joined(separator: " ")
      }
    }
    if !explanation.states.isEmpty { host.count = count(explanation.states) }
    return host
  }

  /// Sockets of this network namespace, half-open requests among them; `nil` if the tables can't be read.
  private static func count(_ states: Set<UInt8>) -> Int? {
    var count = 0
    var isFirst = true
    let found = ["/proc/net/tcp", "/proc/net/tcp6"].map { table in
      isFirst = true
      return forEachLine(of: table) { line in
        defer { isFirst = false }
        let fields = line.split(separator: " ", maxSplits: 4)
        guard !isFirst, fields.count > 3, let number = UInt8(fields[3], radix: 16) else { return }
        if states.contains(number) { count += 1 }
      }
    }
    return found.contains(true) ? count : nil
  }

  /// - Returns: whether the file could be opened.
  @discardableResult
  private static func forEachLine(of path: String, _ body: (String) -> Void) -> Bool {
    guard let file = fopen(path, "re") else { return false }
    var line: UnsafeMutablePointer<CChar>?
    var capacity = 0
    defer {
      free(line)
      fclose(file)
    }
    while getline(&line, &capacity, file) > 0, let line { body(String(cString: line)) }
    return true
  }
}
