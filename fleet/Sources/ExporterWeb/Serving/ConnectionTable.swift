// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// All open connections: bounds their number and ends those whose time is up. Used on the event loop.
final class ConnectionTable {
  private var connections: [ObjectIdentifier: Connection] = [:]
  private let limit: Int
  private let statistics: StatisticsBox
  private let loop: any EventLoop
  private var isSweeping = false

  init(limit: Int, loop: any EventLoop, statistics: StatisticsBox) {
    self.limit = limit
    self.loop = loop
    self.statistics = statistics
  }

  /// Takes a new connection in, closing an idle one if all places are taken.
  /// - Returns: false if there is no place.
  func add(_ connection: Connection) -> Bool {
    if connections.count >= limit {
      guard let victim = victim() else {
        statistics.countDrop(.full)
        return false
      }
      remove(victim)
      statistics.countDrop(.evicted)
      victim.channel.close(promise: nil)
    }
    connections[ObjectIdentifier(connection)] = connection
    count()
    sweepLater()
    return true
  }

  func remove(_ connection: Connection) {
    if connections.removeValue(forKey: ObjectIdentifier(connection)) != nil { count() }
  }

  /// The longest idle connection of the address that has most, so that one client can't push out the others.
  private func victim() -> Connection? { oldest(of: connections.values.filter(\.isIdle)) }

  /// Closes the connection that has been reading a page for longest, if that's longer than any reader of good will takes.
  /// - Returns: false if there is none.
  func dropSlowReader() -> Bool {
    let patience = NIODeadline.now() - .seconds(1)
    guard let slowest = oldest(of: connections.values.filter { $0.isScraping && $0.since < patience }) else {
      return false
    }
    remove(slowest)
    statistics.countDrop(.slowReader)
    slowest.channel.close(promise: nil)
    return true
  }

  private func oldest(of some: [Connection]) -> Connection? {
    var counts: [String: Int] = [:]
    for connection in some { counts[connection.peer, default: 0] += 1 }
    return some.min {
      let (one, other) = (counts[$0.peer] ?? 0, counts[$1.peer] ?? 0)
      return one != other ? one > other : $0.since < $1.since
    }
  }

  /// Closes the connections that wait for a request and were opened under an earlier configuration.
  func closeIdle(before generation: Int) {
    for connection in connections.values where connection.generation < generation && connection.phase == .idle {
      connection.channel.close(promise: nil)
    }
  }

  func closeAll() {
    for connection in connections.values { connection.channel.close(promise: nil) }
  }

  /// Looks for passed deadlines once a second while there are connections; without any, the thread sleeps.
  private func sweepLater() {
    guard !isSweeping, !connections.isEmpty else { return }
    isSweeping = true
    loop.assumeIsolated().scheduleTask(in: .seconds(1)) { [self] in
      isSweeping = false
      let now = NIODeadline.now()
      for connection in connections.values where connection.deadline <= now {
        if let cause = connection.lateness { statistics.countDrop(cause) }
        remove(connection)
        connection.channel.close(promise: nil)
      }
      sweepLater()
    }
  }

  private func count() {
    let number = connections.count
    statistics.update { $0.openConnections = number }
  }
}
