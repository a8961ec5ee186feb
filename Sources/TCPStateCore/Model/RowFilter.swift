// SPDX-License-Identifier: Apache-2.0

/// Which rows are shown. It doesn't affect tracking: rows that are left out still count.
public struct RowFilter: Sendable {
  public var localPorts: PortSet?
  public var peerPorts: PortSet?
  public var localNetworks: [Network] = []
  public var peerNetworks: [Network] = []
  /// Ports of which one end has to have one.
  public var eitherPorts: PortSet?
  /// Networks to one of which one end has to belong.
  public var eitherNetworks: [Network] = []
  /// 4 or 6, as on the wire.
  public var family: Int?
  /// Thread group ids of owners or actors.
  public var pids: Set<UInt32> = []
  public var processes: Set<ShortName> = []
  /// Show rows that enter or leave one of these states.
  public var states: Set<TCPState> = []
  /// The least length of a stay, in nanoseconds.
  public var longerThan: UInt64?
  public var netns: UInt32?
  public var workloads = WorkloadFilter()

  public init() {}

  /// Whether every connection is wanted.
  public var wantsAll: Bool {
    localPorts == nil && peerPorts == nil && localNetworks.isEmpty && peerNetworks.isEmpty && family == nil
      && pids.isEmpty && processes.isEmpty && netns == nil && eitherPorts == nil && eitherNetworks.isEmpty
      && workloads.isEmpty
  }

  /// Whether every row is wanted and shown.
  public var isOpen: Bool { wantsAll && states.isEmpty && longerThan == nil }

  /// Whether the row's connection is wanted.
  public func wants(_ row: borrowing Transition) -> Bool { withUnsafePointer(to: row) { wants($0) } }

  /// The same in place: a value of its size is copied on every call.
  public func wants(_ row: UnsafePointer<Transition>) -> Bool {
    if let family, row.pointee.isIPv4 != (family == 4) { return false }
    if let localPorts, !localPorts.contains(row.pointee.local.port) { return false }
    if let peerPorts, !peerPorts.contains(row.pointee.peer.port) { return false }
    if let eitherPorts, !eitherPorts.contains(row.pointee.local.port), !eitherPorts.contains(row.pointee.peer.port) {
      return false
    }
    if !eitherNetworks.isEmpty, !Self.any(eitherNetworks, row.pointee.local.address),
      !Self.any(eitherNetworks, row.pointee.peer.address)
    {
      return false
    }
    if !localNetworks.isEmpty, !Self.any(localNetworks, row.pointee.local.address) { return false }
    if !peerNetworks.isEmpty, !Self.any(peerNetworks, row.pointee.peer.address) { return false }
    if let netns, row.pointee.netns != netns { return false }
    if !workloads.isEmpty, !workloads.wants(row.pointee.workload) { return false }
    if !pids.isEmpty {
      let ownerMatches = row.pointee.ownerPID.map { pids.contains($0) } ?? false
      let actorMatches = row.pointee.actorPID.map { pids.contains($0) } ?? false
      if !ownerMatches && !actorMatches { return false }
    }
    if !processes.isEmpty, !processes.contains(row.pointee.ownerName), !processes.contains(row.pointee.actorName) {
      return false
    }
    return true
  }

  /// Whether this transition of a wanted connection is shown.
  @inlinable
  public func shows(_ row: borrowing Transition) -> Bool {
    if !states.isEmpty, !states.contains(row.old), !states.contains(row.new) { return false }
    if let longerThan {
      guard let stay = row.stay, stay.nanoseconds >= longerThan else { return false }
    }
    return true
  }

  private static func any(_ networks: [Network], _ address: IPAddress) -> Bool {
    for network in networks where network.contains(address) { return true }
    return false
  }
}
