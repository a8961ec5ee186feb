// SPDX-License-Identifier: Apache-2.0

/// Groups sockets in TIME-WAIT that use up the same supply of ports.
struct TimeWaitGrouping {
  private struct Key: Hashable {
    let netns: UInt32?
    let local: Endpoint
    let peer: Endpoint

    /// Leaves out the port that connect() chose. If it isn't known which side
    /// connected, that is the higher port.
    init(netns: UInt32?, local: Endpoint, peer: Endpoint, connected: Bool?) {
      let isChosenHere = connected ?? (local.port > peer.port)
      self.netns = netns
      self.local = Endpoint(address: local.address, port: isChosenHere ? 0 : local.port)
      self.peer = Endpoint(address: peer.address, port: isChosenHere ? peer.port : 0)
    }
  }

  /// What connect() may choose from, by network namespace.
  var supplies: [UInt32: PortSupply] = [:]
  private var byKey: [Key: TimeWaitGroup] = [:]

  /// - Parameter connected: whether this is the side that connected; `nil` if not known.
  mutating func add(_ socket: StuckSocket, connected: Bool?) {
    let key = Key(netns: socket.netns, local: socket.local, peer: socket.peer, connected: connected)
    let empty = TimeWaitGroup(
      netns: key.netns, local: key.local, peer: key.peer, connected: connected,
      supply: socket.netns.flatMap { supplies[$0] })
    byKey[key, default: empty].add(socket)
  }

  /// Adds a socket in another state, which also occupies its port.
  mutating func addOther(netns: UInt32?, local: Endpoint, peer: Endpoint, connected: Bool?) {
    let key = Key(netns: netns, local: local, peer: peer, connected: connected)
    byKey[key]?.addOther(local.port)
  }

  /// All groups, the largest first.
  var groups: [TimeWaitGroup] {
    byKey.values.sorted {
      $0.count != $1.count ? $0.count > $1.count : ($0.peer.port, $0.local.port) < ($1.peer.port, $1.local.port)
    }
  }
}
