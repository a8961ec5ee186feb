// SPDX-License-Identifier: Apache-2.0
import Glibc

extension NetworkNamespaces {
  /// How much the TCP hash tables of a namespace hold: lines TCP and TCP6 of /proc/net/sockstat and sockstat6
  /// (sockstat_seq_show(), net/ipv4/proc.c; sockstat6_seq_show(), net/ipv6/proc.c).
  struct TableCounts {
    /// Full sockets, including listeners. Half-open requests aren't counted, but each has a listener.
    let full: Int
    /// Timewait minisocks of both families, in TIME-WAIT or FIN-WAIT-2.
    let timeWait: Int

    var isEmpty: Bool { full == 0 && timeWait == 0 }
  }

  /// The kernel's count of full sockets, including listeners, in these namespaces; `nil` if one can't be entered.
  static func fullSockets(in namespaces: [UInt32: String]) -> Int? {
    var sum = 0
    for (namespace, path) in namespaces {
      guard let counts = try? inside(namespace, path: path, { tableCounts() }), let counts else { return nil }
      sum += counts.full
    }
    return sum
  }

  /// The counts of the namespace that this thread is in; `nil` if they can't be read.
  static func tableCounts() -> TableCounts? {
    guard let ipv4 = words(of: "/proc/thread-self/net/sockstat", line: "TCP:"),
      let full = number("inuse", ipv4), let timeWait = number("tw", ipv4)
    else { return nil }
    // Without IPv6 there is no such file.
    let path = "/proc/thread-self/net/sockstat6"
    guard access(path, F_OK) == 0 else { return TableCounts(full: full, timeWait: timeWait) }
    guard let ipv6 = words(of: path, line: "TCP6:"), let more = number("inuse", ipv6) else { return nil }
    return TableCounts(full: full + more, timeWait: timeWait)
  }

  /// How many minisocks the namespace that this thread is in has refused, because there were too many
  /// (tcp_max_tw_buckets): TCPTimeWaitOverflow of /proc/net/netstat (netstat_seq_show(), net/ipv4/proc.c). `nil` if it
  /// can't be read.
  static func timeWaitOverflows() -> UInt64? {
    guard let file = FileDescriptor(path: "/proc/thread-self/net/netstat") else { return nil }
    return withUnsafeTemporaryAllocation(byteCount: 16_384, alignment: 1) { buffer in
      var length = 0
      while length < buffer.count, let start = buffer.baseAddress {
        let count = read(file.number, start + length, buffer.count - length)
        guard count > 0 else { break }
        length += count
      }
      return counter("TCPTimeWaitOverflow", in: UnsafeRawBufferPointer(rebasing: buffer[..<length]))
    }
  }

  /// A counter of /proc/net/netstat, where a line of names is followed by a line of values.
  static func counter(_ name: StaticString, in text: UnsafeRawBufferPointer) -> UInt64? {
    let names = UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
    var lines = text.split(separator: UInt8(ascii: "\n"))[...]
    while let header = lines.popFirst(), let values = lines.popFirst() {
      var rest = values.split(separator: UInt8(ascii: " "))[...]
      for word in header.split(separator: UInt8(ascii: " ")) {
        guard let value = rest.popFirst() else { break }
        if word.elementsEqual(names) { return UInt64(String(decoding: value, as: UTF8.self)) }
      }
    }
    return nil
  }

  private static func words(of path: String, line: String) -> [Substring]? {
    guard let file = FileDescriptor(path: path) else { return nil }
    return withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 1) { buffer in
      let count = read(file.number, buffer.baseAddress, buffer.count)
      guard count > 0 else { return nil }
      let text = String(decoding: buffer[..<count], as: UTF8.self)
      return text.split(separator: "\n").first { $0.hasPrefix(line) }?.split(separator: " ")
    }
  }

  /// The number that follows a name.
  private static func number(_ name: String, _ words: [Substring]) -> Int? {
    guard let index = words.firstIndex(where: { $0 == name }), index + 1 < words.count else { return nil }
    return Int(words[index + 1])
  }
}
