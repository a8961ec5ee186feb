// SPDX-License-Identifier: Apache-2.0
import Glibc
import Synchronization

/// A test's own network namespace, with its loopback up; deleted with this value.
public final class NetworkNamespace {
  private static let counter = Atomic<Int>(0)

  public let name: String

  public init() throws {
    let number = Self.counter.add(1, ordering: .relaxed).newValue
    name = "tst-\(getpid())-\(number)"
    try Self.ip("netns", "add", name)
    try Self.ip("-n", name, "link", "set", "lo", "up")
  }

  deinit { try? Self.ip("netns", "del", name) }

  public var path: String { "/run/netns/\(name)" }

  public var inode: UInt64 { Self.inode(of: path) }

  /// The inode of any namespace's file.
  public static func inode(of path: String) -> UInt64 {
    var status = stat()
    return stat(path, &status) == 0 ? UInt64(status.st_ino) : 0
  }

  /// A command that runs in this namespace.
  ///
  /// Uses nsenter because `ip netns exec` would hide the cgroup file systems.
  public func command(_ arguments: [String]) -> [String] {
    ["nsenter", "--net=\(path)", "--"] + arguments
  }

  /// Connects two namespaces with a veth pair: 10.9.0.1 and 2001:db8:9::1 here, .2 and ::2 there.
  public func connect(to other: NetworkNamespace) throws {
    try Self.ip("-n", name, "link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns", other.name)
    for (end, number) in [(name, 1), (other.name, 2)] {
      try Self.ip("-n", end, "address", "add", "10.9.0.\(number)/24", "dev", "wire")
      try Self.ip("-n", end, "address", "add", "2001:db8:9::\(number)/64", "dev", "wire", "nodad")
      try Self.ip("-n", end, "link", "set", "wire", "up")
    }
  }

  private static func ip(_ arguments: String...) throws {
    let process = try ChildProcess.run(["ip"] + arguments)
    guard process.ending == .exited(0) else {
      throw TestFailure("ip \(arguments.joined(separator: " ")): \(process.errorText)")
    }
  }
}
