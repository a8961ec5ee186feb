// SPDX-License-Identifier: Apache-2.0

/// A connection from its first SYN to the end of TIME-WAIT, with both ends if
/// both have a socket on this host.
public struct Lifecycle: Sendable {
  public private(set) var client: LifecycleEnd?
  public private(set) var server: LifecycleEnd?

  /// A life with one end seen so far.
  public init(_ end: LifecycleEnd) {
    if end.facts.role == .server { server = end } else { client = end }
  }

  /// The end on one side; `nil` if it isn't on this host or wasn't seen.
  public subscript(side: Side) -> LifecycleEnd? {
    side == .client ? client : server
  }

  public var isJoined: Bool { client != nil && server != nil }

  /// Whether its one socket has connected to itself (RFC 9293, section 3.5: both ends of a simultaneous open).
  public var isSelfConnected: Bool {
    guard !isJoined, let facts = (client ?? server)?.facts else { return false }
    return facts.local == facts.peer && facts.local.port != 0
  }

  /// The client's connection id, else the server's.
  public var id: UInt64 { client?.facts.connection ?? server?.facts.connection ?? 0 }

  /// The side of the socket with this connection id.
  public func side(of connection: UInt64) -> Side? {
    if client?.facts.connection == connection { return .client }
    return server?.facts.connection == connection ? .server : nil
  }

  /// Adds a row of one of its known ends.
  mutating func add(_ row: Transition, _ side: Side) {
    if side == .client { client?.add(row) } else { server?.add(row) }
    guard !isJoined else { return }
    // This row may be the first to show the role.
    if let end = client, end.facts.role == .server {
      server = end
      client = nil
    }
  }

  /// Joins the other end's life to this one.
  mutating func join(_ other: LifecycleEnd) {
    guard let mine = client ?? server else { return }
    let first = (mine.moments.first?.time ?? 0) <= (other.moments.first?.time ?? 0)
    let mineIsClient: Bool
    switch (mine.facts.role, other.facts.role) {
    case (.client, .client): mineIsClient = first
    case (.client, _), (_, .server): mineIsClient = true
    case (.server, _), (_, .client): mineIsClient = false
    default: mineIsClient = first
    }
    client = mineIsClient ? mine : other
    server = mineIsClient ? other : mine
  }

  /// Whether the handshake was seen at one end or both.
  public var beginningSeen: Bool {
    (client?.beginningSeen ?? false) || (server?.beginningSeen ?? false)
  }

  /// Whether all ends seen are closed, so that nothing more will come.
  public var isClosed: Bool { (client?.isClosed ?? true) && (server?.isClosed ?? true) }

  /// Whether only the end of TIME-WAIT can still come.
  public var isSettled: Bool {
    func settled(_ end: LifecycleEnd?) -> Bool {
      guard let end else { return true }
      return end.isClosed || end.state == .timeWait
    }
    return settled(client) && settled(server)
  }

  /// Whether both ends opened actively at the same time (RFC 9293, figure 7).
  public var isSimultaneousOpen: Bool {
    (client?.moment(from: .synSent, to: .synReceived) ?? server?.moment(from: .synSent, to: .synReceived)) != nil
  }

  /// When it began, or was first seen; nanoseconds since the epoch, CLOCK_REALTIME.
  public var start: UInt64 {
    let first = client?.firstTime
    var second = server?.firstTime
    // What a server computes of its SYN-ACK is never taken to be before the SYN.
    if client?.moment(entering: .synSent) == nil, let start = server?.synReceivedStart?.time {
      second = min(start, second ?? start)
    }
    return min(first ?? .max, second ?? .max)
  }

  /// When it was last seen, likewise.
  public var end: UInt64 {
    max(client?.lastTime ?? 0, server?.lastTime ?? 0)
  }

  /// Which end sent the first FIN.
  public enum FirstCloser: Sendable {
    case client, server, both
  }

  /// Which end closed first; `nil` if no FIN was sent, or that isn't known.
  public var closer: FirstCloser? {
    switch (client?.facts.closer, server?.facts.closer) {
    case (.both, _), (_, .both): .both
    case (.active, .active): .both
    case (.active, _), (_, .passive): .client
    case (.passive, _), (_, .active): .server
    case (nil, nil): nil
    }
  }

  /// Why it ended, by the more specific reason of its two ends; `nil` while it is open.
  public var reason: Reason? {
    let reasons = Side.allCases.compactMap { self[$0]?.facts.reason }
    // The end that acted knows more than the one that was notified.
    let specific = reasons.first { $0 != .fin && $0 != .resetReceived && $0 != .unknown && $0 != .reused }
    return specific ?? reasons.first { $0 == .resetReceived } ?? reasons.first { $0 == .fin } ?? reasons.first
  }

  /// ISS of `side`, the sequence number of its SYN; `nil` if neither end's rows have it.
  public func initialSequence(of side: Side) -> UInt32? {
    LifecycleSequences(self).initial(side)
  }

  /// Bytes of payload that `side` has sent in total.
  public func bytesSent(by side: Side) -> UInt64? {
    self[side]?.facts.bytesSent ?? self[side.other]?.facts.bytesReceived
  }

  /// How long both ends were in ESTABLISHED: from when the second one entered it
  /// until the first one left it; `nil` if either wasn't seen.
  public var establishedStay: Stay? {
    var begin: UInt64 = 0
    var leaving: UInt64?
    var kind = DurationKind.exact
    for side in Side.allCases {
      guard let end = self[side] else { continue }
      if let entered = end.moment(entering: .established) {
        begin = max(begin, entered.time)
      }
      if let left = end.moments.first(where: { $0.old == .established }) {
        leaving = min(leaving ?? .max, left.time)
        if begin == 0, let stay = left.stay {
          begin = left.time &- min(stay.nanoseconds, left.time)
          kind = stay.kind
        }
      }
    }
    guard begin > 0, let leaving else { return nil }
    return Stay(nanoseconds: leaving &- min(begin, leaving), kind: kind)
  }
}
