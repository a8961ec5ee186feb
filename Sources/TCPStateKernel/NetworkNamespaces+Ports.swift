import CLinux
import Glibc

extension NetworkNamespaces {
  /// The ephemeral ports of a namespace (net.ipv4.ip_local_port_range); `nil` if they can't be read.
  ///
  /// /proc/sys/net shows the namespace of the thread that opens it, so this
  /// thread goes there and returns before the call does.
  ///
  /// - Parameter path: opens the namespace, as `all()` gives it.
  public static func portRange(of path: String) throws(KernelError) -> ClosedRange<UInt16>? {
    guard inode(of: path) != inode(of: "/proc/self/ns/net") else { return portRange() }
    guard let home = FileDescriptor(path: "/proc/self/ns/net")
    else { throw KernelError("open /proc/self/ns/net", errno: errno) }
    guard let namespace = FileDescriptor(path: path), setns(namespace.number, Int32(TCPSTATE_CLONE_NEWNET)) == 0
    else { return nil }
    let range = portRange()
    guard setns(home.number, Int32(TCPSTATE_CLONE_NEWNET)) == 0
    else { throw KernelError("return to the own network namespace", errno: errno) }
    return range
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

  /// The names that `ip netns` has given, by inode.
  public static func names() -> [UInt32: String] {
    var names: [UInt32: String] = [:]
    for name in entries(of: "/run/netns") {
      if let inode = inode(of: "/run/netns/\(name)") { names[inode] = name }
    }
    return names
  }
}
