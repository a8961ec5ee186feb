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
}
