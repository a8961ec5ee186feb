// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// What is filtered in the kernel, before an event costs anything. The default lets everything pass.
public struct KernelFilter: Sendable {
  /// 4 or 6: as on the wire.
  public var family: Int?
  public var localPorts: PortSet?
  public var peerPorts: PortSet?
  /// Ports of which one end has to have one; without effect if there are `localPorts`.
  public var eitherPorts: PortSet?
  public var localNetworks: [Network] = []
  public var peerNetworks: [Network] = []
  /// Inode of a network namespace.
  public var netns: UInt32?
  /// A path that leads to it, if one is known.
  public var netnsPath: String?
  /// Of the process that made the socket, or of one that holds it.
  public var cgroup: CgroupLocation?

  public init() {}

  /// Whether it lets everything pass.
  public var isEmpty: Bool {
    family == nil && localPorts == nil && peerPorts == nil && localNetworks.isEmpty && peerNetworks.isEmpty
      && netns == nil && cgroup == nil && eitherPorts == nil
  }
}
