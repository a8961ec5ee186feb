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

  private var byKey: [Key: TimeWaitGroup] = [:]

  /// - Parameters:
  ///   - connected: whether this is the side that connected; `nil` if not known.
  ///   - ports: how many ports the ephemeral range has; `nil` if not known.
  mutating func add(_ socket: StuckSocket, connected: Bool?, ports: UInt64?) {
    let key = Key(netns: socket.netns, local: socket.local, peer: socket.peer, connected: connected)
    var group =
      byKey[key]
      ?? TimeWaitGroup(
        netns: key.netns, local: key.local, peer: key.peer, connected: connected,
        ports: connected == true ? ports : nil)
    group.add(age: socket.age?.nanoseconds, maker: socket.maker)
    byKey[key] = group
  }

  /// Adds a socket in another state, which also occupies its port.
  mutating func addOther(netns: UInt32?, local: Endpoint, peer: Endpoint, connected: Bool?) {
    let key = Key(netns: netns, local: local, peer: peer, connected: connected)
    byKey[key]?.others += 1
  }

  /// All groups, the largest first.
  var groups: [TimeWaitGroup] {
    byKey.values.sorted {
      $0.count != $1.count ? $0.count > $1.count : ($0.peer.port, $0.local.port) < ($1.peer.port, $1.local.port)
    }
  }
}
