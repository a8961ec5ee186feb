/// What is shown. Never what is tracked: a filtered row has been counted all the same.
public struct RowFilter: Sendable {
  public var localPorts: PortSet?
  public var peerPorts: PortSet?
  public var localNetworks: [Network] = []
  public var peerNetworks: [Network] = []
  /// 4 or 6: as on the wire.
  public var family: Int?
  /// Owners or actors, by thread group id.
  public var pids: Set<UInt32> = []
  public var processes: Set<ShortName> = []
  /// Rows that enter or leave one of these.
  public var states: Set<TCPState> = []
  /// Nanoseconds that the stay took at the least.
  public var longerThan: UInt64?
  public var netns: UInt32?

  public init() {}

  /// Whether every connection is wanted.
  public var wantsAll: Bool {
    localPorts == nil && peerPorts == nil && localNetworks.isEmpty && peerNetworks.isEmpty && family == nil
      && pids.isEmpty && processes.isEmpty && netns == nil
  }

  /// Whether nothing is asked for, so that every row is wanted and shown.
  public var isOpen: Bool { wantsAll && states.isEmpty && longerThan == nil }

  /// Whether the connection is one that was asked for.
  public func wants(_ row: borrowing Transition) -> Bool {
    if let family, row.isIPv4 != (family == 4) { return false }
    if let localPorts, !localPorts.contains(row.local.port) { return false }
    if let peerPorts, !peerPorts.contains(row.peer.port) { return false }
    if !localNetworks.isEmpty, !Self.any(localNetworks, row.local.address) { return false }
    if !peerNetworks.isEmpty, !Self.any(peerNetworks, row.peer.address) { return false }
    if let netns, row.netns != netns { return false }
    if !pids.isEmpty {
      let ownerMatches = row.ownerPID.map { pids.contains($0) } ?? false
      let actorMatches = row.actorPID.map { pids.contains($0) } ?? false
      if !ownerMatches && !actorMatches { return false }
    }
    if !processes.isEmpty, !processes.contains(row.ownerName), !processes.contains(row.actorName) {
      return false
    }
    return true
  }

  /// Whether this transition of a wanted connection is shown.
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
