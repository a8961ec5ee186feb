// SPDX-License-Identifier: Apache-2.0
import Glibc
import TCPStateCore

extension NetworkNamespaces {
  /// The ephemeral ports of a namespace, and when connect() may take one over (net.ipv4.ip_local_port_range,
  /// ip_local_reserved_ports, tcp_tw_reuse and tcp_tw_reuse_delay); `nil` if they can't be read.
  ///
  /// /proc/sys/net shows the namespace of the thread that opens it.
  ///
  /// - Parameters:
  ///   - namespace: its inode.
  ///   - path: opens it, as `all()` returned it.
  public static func portSupply(of namespace: UInt32, path: String) throws(KernelError) -> PortSupply? {
    try inside(namespace, path: path) { portSupply() } ?? nil
  }

  private static func portSupply() -> PortSupply? {
    let ends = setting("ip_local_port_range")?.split(whereSeparator: \.isWhitespace).compactMap { UInt16($0) } ?? []
    guard ends.count == 2, ends[0] <= ends[1] else { return nil }
    let reuse: PortSupply.Reuse =
      switch setting("tcp_tw_reuse").flatMap({ $0.split(whereSeparator: \.isWhitespace).first }) {
      case "1": .always
      case "2": .loopback
      default: .never
      }
    // Milliseconds, since Linux 6.14; before that a second.
    let delay = setting("tcp_tw_reuse_delay").flatMap { UInt64($0.prefix { $0.isNumber }) } ?? 1000
    return PortSupply(
      range: ends[0]...ends[1], reserved: PortSupply.ports(setting("ip_local_reserved_ports") ?? ""), reuse: reuse,
      reuseDelay: delay * 1_000_000)
  }

  /// A setting below net.ipv4; `nil` if this kernel has none of that name.
  private static func setting(_ name: String) -> String? {
    guard let file = FileDescriptor(path: "/proc/sys/net/ipv4/\(name)") else { return nil }
    // A list of reserved ports may be long; a page holds thousands of ranges, and reads go on until the end.
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = read(file.number, &buffer, buffer.count)
      guard count > 0 else { break }
      text += buffer[..<count]
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// The names assigned by `ip netns`, by inode.
  public static func names() -> [UInt32: String] {
    var names: [UInt32: String] = [:]
    for name in Directory.names(in: "/run/netns") ?? [] {
      if let inode = inode(of: "/run/netns/\(name)") { names[inode] = name }
    }
    return names
  }
}
