// SPDX-License-Identifier: Apache-2.0
import Glibc

extension NetworkNamespaces {
  /// The ephemeral ports of a namespace (net.ipv4.ip_local_port_range); `nil` if they can't be read.
  ///
  /// /proc/sys/net shows the namespace of the thread that opens it.
  ///
  /// - Parameters:
  ///   - namespace: its inode.
  ///   - path: opens it, as `all()` returned it.
  public static func portRange(of namespace: UInt32, path: String) throws(KernelError) -> ClosedRange<UInt16>? {
    try inside(namespace, path: path) { portRange() } ?? nil
  }

  private static func portRange() -> ClosedRange<UInt16>? {
    guard let file = FileDescriptor(path: "/proc/sys/net/ipv4/ip_local_port_range") else { return nil }
    return withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { buffer in
      let count = read(file.number, buffer.baseAddress, buffer.count)
      guard count > 0 else { return nil }
      let ports = String(decoding: buffer[..<count], as: UTF8.self)
        .split(whereSeparator: \.isWhitespace).compactMap { UInt16($0) }
      guard ports.count == 2, ports[0] <= ports[1] else { return nil }
      return ports[0]...ports[1]
    }
  }

  /// The names assigned by `ip netns`, by inode.
  public static func names() -> [UInt32: String] {
    var names: [UInt32: String] = [:]
    for name in entries(of: "/run/netns") {
      if let inode = inode(of: "/run/netns/\(name)") { names[inode] = name }
    }
    return names
  }
}
