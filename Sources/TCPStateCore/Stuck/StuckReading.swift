// SPDX-License-Identifier: Apache-2.0

/// The result of one reading of the kernel's tables.
public struct StuckReading: Sendable {
  /// The oldest first, those of unknown age last. Includes sockets in TIME-WAIT.
  public var sockets: [StuckSocket] = []
  /// Sockets that match and may have been in their state long enough: they have been there for less at least, and for
  /// longer at most. In the same order.
  public var uncertain: [StuckSocket] = []
  /// How many more of these there are in states that are meant to last, ESTABLISHED and LISTEN.
  public var unlisted = 0
  /// How many match but haven't been in their state long enough.
  public var younger = 0
  /// What the sockets in TIME-WAIT occupy; empty unless the query asks for them.
  public var timeWait: [TimeWaitGroup] = []

  public init() {}

  /// Adds a socket if it matches. Sockets that are too young are only counted.
  mutating func add(_ socket: StuckSocket, _ query: StuckQuery) {
    guard query.wants(socket) else { return }
    if socket.age?.nanoseconds ?? 0 >= query.olderThan {
      sockets.append(socket)
    } else if let most = socket.age?.kind == .exact ? socket.age?.nanoseconds : socket.atMost, most < query.olderThan {
      younger += 1
    } else if socket.state == .established || socket.state == .listen {
      unlisted += 1
    } else {
      uncertain.append(socket)
    }
  }

  /// Puts the oldest first.
  mutating func sort() {
    func isOlder(_ a: StuckSocket, _ b: StuckSocket) -> Bool {
      let (ageA, ageB) = (a.age?.nanoseconds ?? 0, b.age?.nanoseconds ?? 0)
      return ageA != ageB ? ageA > ageB : a.connection < b.connection
    }
    sockets.sort(by: isOlder)
    uncertain.sort(by: isOlder)
  }

  /// All that are worth a row, with why: those that have been there long enough, then those that may have.
  public var listed: [StuckSocket] { sockets + uncertain }

  /// How many may have been in their state long enough.
  public var uncertainCount: Int { uncertain.count + unlisted }

  /// Whether any of this is wrong, or may be. TIME-WAIT is as it should be, unless it uses up the ports, or lasts longer than
  /// was asked for.
  ///
  /// - Parameter query: what was looked for.
  public func findsTrouble(_ query: StuckQuery) -> Bool {
    if uncertainCount > 0 || timeWait.contains(where: \.runsOut) { return true }
    return query.olderThan == 0 ? sockets.contains { $0.state != .timeWait } : !sockets.isEmpty
  }

  /// The processes that hold a found socket or listen for it, most sockets first.
  public var processes: [ProcessShare] {
    var shares: [UInt32: ProcessShare] = [:]
    for socket in listed where socket.state != .timeWait {
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
  /// Of these, half-open requests, which it can't accept yet.
  public private(set) var halfOpen = 0
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
    if socket.verdict == .halfOpen {
      halfOpen += 1
    } else if socket.holders.isEmpty {
      waiting += 1
    }
    if oldest == nil { oldest = socket }
    if seen.insert(socket.peer.address).inserted { peers.append(socket.peer.address) }
  }
}
