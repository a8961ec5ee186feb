// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// How many ephemeral ports each pair of a source address and a destination occupies, from the open connections.
///
/// Pure; for one reading. connect() fails with EADDRNOTAVAIL when a pair has taken all ports of the range.
package struct PortUse: ~Copyable {
  /// One pair.
  package struct Pair: Sendable {
    /// Inode of the network namespace.
    package let netns: UInt32
    package let source: IPAddress
    package let destination: Endpoint
    /// Distinct local ports of the range that are taken.
    package let used: UInt64
    /// All that connect() may choose from, taken or not.
    package let available: UInt64

    /// Whether more than so many percent are taken.
    package func exceeds(percent: UInt64) -> Bool { used * 100 > available * percent }

    package var percent: UInt64 { available == 0 ? 100 : used * 100 / available }
  }

  private struct Key: Hashable {
    let netns: UInt32
    let source: IPAddress
    let destination: Endpoint
  }

  private let supplies: [UInt32: PortSupply]
  private var taken: [Key: Set<UInt16>] = [:]
  /// Of connections of which it isn't known which end connected.
  private var perhapsTaken: [Key: Set<UInt16>] = [:]
  /// The ports that have a listener, by network namespace.
  private var listening: [UInt32: Set<UInt16>] = [:]

  /// - Parameter supplies: by network namespace; connections of others are left out.
  package init(supplies: [UInt32: PortSupply]) {
    self.supplies = supplies
  }

  /// Adds an open socket, in any order.
  ///
  /// A connection counts if this end connected. Of one that is older than the tracer that isn't known: its port counts as
  /// chosen by connect() if it is in the range and nothing listens on it.
  package mutating func add(_ row: borrowing Transition) {
    guard let netns = row.netns else { return }
    if row.new == .listen { listening[netns, default: []].insert(row.local.port) }
    guard let supply = supplies[netns], row.peer.port != 0, supply.contains(row.local.port) else { return }
    let key = Key(netns: netns, source: row.local.address, destination: row.peer)
    switch row.role {
    case .client: taken[key, default: []].insert(row.local.port)
    case .unknown: perhapsTaken[key, default: []].insert(row.local.port)
    case .server, .listener: break
    }
  }

  /// Ends the reading: all pairs, the fullest first.
  package consuming func pairs() -> [Pair] {
    for (key, ports) in perhapsTaken {
      let chosen = ports.subtracting(listening[key.netns] ?? [])
      if !chosen.isEmpty { taken[key, default: []].formUnion(chosen) }
    }
    let supplies = supplies
    return taken.map { key, ports in
      Pair(
        netns: key.netns, source: key.source, destination: key.destination, used: UInt64(ports.count),
        available: supplies[key.netns]?.count ?? 0)
    }
    .sorted { $0.used * $1.available > $1.used * $0.available }
  }
}
