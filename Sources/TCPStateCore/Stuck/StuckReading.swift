// SPDX-License-Identifier: Apache-2.0

/// The result of one reading of the kernel's tables.
public struct StuckReading: Sendable {
  /// The oldest first, those of unknown age last. Includes sockets in TIME-WAIT.
  public var sockets: [StuckSocket] = []
  /// How many match but haven't been in their state long enough.
  public var younger = 0
  /// How many match but have an age that the kernel doesn't provide.
  public var ofUnknownAge = 0
  /// What the sockets in TIME-WAIT occupy; empty unless the query asks for them.
  public var timeWait: [TimeWaitGroup] = []

  public init() {}

  /// Adds a socket if it matches. Sockets that are too young or of unknown age are only counted.
  mutating func add(_ socket: StuckSocket, _ query: StuckQuery) {
    guard query.wants(socket) else { return }
    guard let age = socket.age else {
      if query.olderThan == 0 { sockets.append(socket) } else { ofUnknownAge += 1 }
      return
    }
    if age.nanoseconds >= query.olderThan { sockets.append(socket) } else { younger += 1 }
  }

  /// Puts the oldest first.
  mutating func sort() {
    sockets.sort { a, b in
      let (ageA, ageB) = (a.age?.nanoseconds ?? 0, b.age?.nanoseconds ?? 0)
      return ageA != ageB ? ageA > ageB : a.connection < b.connection
    }
  }

  /// The processes that hold a found socket or listen for it, most sockets first.
  public var processes: [ProcessShare] {
    var shares: [UInt32: ProcessShare] = [:]
    for socket in sockets where socket.state != .timeWait {
      for process in socket.responsible {
        shares[process.pid, default: ProcessShare(pid: process.pid, name: process.name)].add(socket)
      }
    }
    return shares.values.sorted { ($1.count, $0.pid) < ($0.count, $1.pid) }
  }
}

/// One process's share of the sockets found.
public struct ProcessShare: Sendable {
  public let pid: UInt32
  public let name: ShortName
  public private(set) var count = 0
  /// Of these, sockets that it hasn't accepted.
  public private(set) var waiting = 0
  /// The oldest one.
  public private(set) var oldest: StuckSocket?
  /// Addresses of the other ends, in the order found.
  public private(set) var peers: [IPAddress] = []
  private var seen: Set<IPAddress> = []

  init(pid: UInt32, name: ShortName) {
    self.pid = pid
    self.name = name
  }

  /// Adds a socket; the oldest must come first.
  mutating func add(_ socket: StuckSocket) {
    count += 1
    if socket.holders.isEmpty { waiting += 1 }
    if oldest == nil { oldest = socket }
    if seen.insert(socket.peer.address).inserted { peers.append(socket.peer.address) }
  }
}
