// SPDX-License-Identifier: Apache-2.0

/// Folds transitions into lives, and hands out each life when it is over.
///
/// Pure and bounded: a life that was handed out is forgotten, and beyond
/// `limit` lives the one that began first is handed out unfinished.
public struct LifecycleTracker {
  /// What two ends of one connection have in common.
  private enum Meeting: Hashable {
    /// Both initial sequence numbers, the smaller first: 64 random bits that are
    /// the same across namespaces and address translation.
    case sequences(UInt64)
    /// Both endpoints, ordered, if sequence numbers weren't recorded.
    case endpoints(Endpoint, Endpoint)
  }

  /// What a client that got no answer and a half-open request have in common. The client never learned ISS of the
  /// server, so both initial sequence numbers aren't known at both ends.
  private struct Opening: Hashable {
    /// Of the SYN.
    let sequence: UInt32
    let client: Endpoint
    let server: Endpoint
  }

  private struct Entry {
    var life: Lifecycle
    var meeting: Meeting?
    var opening: Opening?
    var established: UInt64?
    /// Its first end has ended, and its twin's rows may still come until this time.
    var deadline: UInt64?
  }

  /// How long after ESTABLISHED, in nanoseconds, the other end's transitions may come. They begin when
  /// the handshake's last ACK arrives.
  static let twinWait: UInt64 = 500_000_000

  /// How long after its SYN, in nanoseconds, a client that gave up waits for the request that it made: that is reported
  /// with its first repeated SYN-ACK, after a second (TCP_TIMEOUT_INIT, include/net/tcp.h).
  static let requestWait: UInt64 = 1_250_000_000

  /// Whether a life is over only after TIME-WAIT: for recordings, where waiting costs nothing.
  public let waitsForTimeWait: Bool
  /// The maximum number of lives kept; each takes about 1.5 KB.
  public let limit: Int

  private var entries: [UInt64: Entry] = [:]
  /// The key of a connection's life, if that is its twin's connection.
  private var keys: [UInt64: UInt64] = [:]
  private var single: [Meeting: UInt64] = [:]
  /// More lives without a twin that have the same in common: in other namespaces.
  private var others: [Meeting: [UInt64]] = [:]
  private var halfOpen: [Opening: UInt64] = [:]
  /// Lives that wait for their twin.
  private var waiting: [UInt64] = []
  private var nextDeadline = UInt64.max
  /// Keys of lives in the order in which they began; some have been handed out already.
  private var order: [UInt64] = []
  private var orderStart = 0

  /// Lives handed out before they were over, to limit memory.
  public private(set) var evicted: UInt64 = 0

  /// Whether sockets found at the start count as lives, even if nothing happens to them.
  public let takesFound: Bool

  public init(waitsForTimeWait: Bool, takesFound: Bool = false, limit: Int = 1 << 17) {
    self.waitsForTimeWait = waitsForTimeWait
    self.takesFound = takesFound
    self.limit = limit
  }

  public var count: Int { entries.count }

  /// Adds one transition.
  ///
  /// - Parameter receive: called with each life that is over.
  public mutating func apply(_ row: Transition, _ receive: (Lifecycle) -> Void) {
    if row.time >= nextDeadline { advance(to: row.time, receive) }
    guard row.old != row.new || takesFound, row.role != .listener else { return }
    if row.new == .listen || (row.old == .listen && row.new == .closed) { return }

    var key = keys[row.connection] ?? row.connection
    if let entry = entries[key], let side = entry.life.side(of: row.connection) {
      if row.old == .closed, entry.life[side]?.isClosed ?? false {
        // The same socket connects again.
        handOut(key, receive)
        key = row.connection
        insert(key, row, receive)
      } else {
        entries[key]?.life.add(row, side)
      }
    } else {
      // Its life was handed out when it entered TIME-WAIT.
      if row.old == .timeWait, !waitsForTimeWait { return }
      insert(key, row, receive)
    }
    if row.new == .established, entries[key]?.established == nil { entries[key]?.established = row.time }
    key = meet(key)
    if row.isHalfOpen { key = meetHalfOpen(key, row) }
    settle(key, row.time, receive)
  }

  /// Lets time pass.
  ///
  /// - Parameter now: nanoseconds since the epoch, CLOCK_REALTIME, as in the rows.
  public mutating func advance(to now: UInt64, _ receive: (Lifecycle) -> Void) {
    guard now >= nextDeadline else { return }
    let due = waiting.filter { key in (entries[key]?.deadline ?? 0) <= now }
    waiting.removeAll { key in (entries[key]?.deadline ?? 0) <= now }
    nextDeadline = waiting.reduce(.max) { min($0, entries[$1]?.deadline ?? .max) }
    for key in due where entries[key]?.deadline != nil { handOut(key, receive) }
  }

  /// Hands out the remaining lives in the order in which they began, because no more rows will come.
  public mutating func finish(_ receive: (Lifecycle) -> Void) {
    for index in orderStart..<order.count { handOut(order[index], receive) }
    order = []
    orderStart = 0
  }

  /// The life of a connection; `nil` if it isn't followed.
  public func life(of connection: UInt64) -> Lifecycle? {
    entries[keys[connection] ?? connection]?.life
  }

  /// The state of a connection; `nil` if it isn't followed.
  public func state(of connection: UInt64) -> TCPState? {
    guard let life = entries[keys[connection] ?? connection]?.life else { return nil }
    return life.side(of: connection).flatMap { life[$0]?.state }
  }

  // MARK: - Beginning and end

  private mutating func insert(_ key: UInt64, _ row: Transition, _ receive: (Lifecycle) -> Void) {
    while entries.count >= limit, orderStart < order.count {
      if entries[order[orderStart]] != nil { evicted += 1 }
      handOut(order[orderStart], receive)
      orderStart += 1
    }
    if orderStart > 4096, orderStart > order.count / 2 {
      order.removeFirst(orderStart)
      orderStart = 0
    }
    if order.count - orderStart > 2 * max(entries.count, 4096) {
      order = order[orderStart...].filter { entries[$0] != nil }
      orderStart = 0
    }
    entries[key] = Entry(life: Lifecycle(LifecycleEnd(row)))
    order.append(key)
  }

  private mutating func settle(_ key: UInt64, _ now: UInt64, _ receive: (Lifecycle) -> Void) {
    guard let entry = entries[key] else { return }
    guard waitsForTimeWait ? entry.life.isClosed : entry.life.isSettled else { return }
    guard !entry.life.isJoined, let deadline = Self.deadline(entry), now < deadline else {
      return handOut(key, receive)
    }
    guard entry.deadline == nil else { return }
    entries[key]?.deadline = deadline
    waiting.append(key)
    nextDeadline = min(nextDeadline, deadline)
  }

  /// Until when the twin of a life that is over may still come; `nil` if there is none to wait for.
  private static func deadline(_ entry: Entry) -> UInt64? {
    if let established = entry.established { return established.saturatingAdding(twinWait) }
    guard entry.opening != nil, let begin = entry.life.client?.moment(entering: .synSent) else { return nil }
    return begin.time.saturatingAdding(requestWait)
  }

  private mutating func handOut(_ key: UInt64, _ receive: (Lifecycle) -> Void) {
    guard let entry = entries.removeValue(forKey: key) else { return }
    if let meeting = entry.meeting { leave(meeting, key) }
    if let opening = entry.opening, halfOpen[opening] == key { halfOpen[opening] = nil }
    for side in Side.allCases {
      if let connection = entry.life[side]?.facts.connection { keys[connection] = nil }
    }
    receive(entry.life)
  }

  // MARK: - Joining

  /// Joins the life with its twin's if that is known, and returns the key of the result.
  private mutating func meet(_ key: UInt64) -> UInt64 {
    guard let entry = entries[key], !entry.life.isJoined, let end = entry.life.client ?? entry.life.server,
      let meeting = Self.meeting(end.facts), entry.meeting != meeting
    else { return key }
    if let old = entry.meeting { leave(old, key) }
    entries[key]?.meeting = meeting
    guard let twin = twin(of: end, key, meeting) else {
      wait(for: meeting, key, end.facts)
      return key
    }
    leave(meeting, twin)
    return join(key, entry, end, to: twin)
  }

  private mutating func join(_ key: UInt64, _ entry: Entry, _ end: LifecycleEnd, to twin: UInt64) -> UInt64 {
    if let opening = entry.opening, halfOpen[opening] == key { halfOpen[opening] = nil }
    entries[key] = nil
    entries[twin]?.life.join(end)
    entries[twin]?.deadline = nil
    if entries[twin]?.established == nil { entries[twin]?.established = entry.established }
    keys[end.facts.connection] = twin
    return twin
  }

  private mutating func wait(for meeting: Meeting, _ key: UInt64, _ facts: Transition) {
    let (local, end) = (facts.local, TwinEnd(facts))
    guard let first = single[meeting] else {
      single[meeting] = key
      return
    }
    let earlier = [first] + (others[meeting] ?? [])
    let left = earlier.filter { other in
      guard let life = entries[other]?.life, let their = life.client ?? life.server else { return false }
      // The other direction's socket, whose own addresses are this one's peer's, stays.
      return their.facts.local != local || !TwinEnd(their.facts).isReplaced(by: end)
    }
    single[meeting] = key
    others[meeting] = left.isEmpty ? nil : left
  }

  /// A life that has found its twin, or is over, doesn't wait any more.
  private mutating func leave(_ meeting: Meeting, _ key: UInt64) {
    if single[meeting] == key {
      single[meeting] = others[meeting]?.popLast()
    } else {
      others[meeting]?.removeAll { $0 == key }
    }
    if others[meeting]?.isEmpty ?? false { others[meeting] = nil }
  }

  /// The life of the other end; `nil` if there is none, or it isn't clear which one it is.
  private func twin(of end: LifecycleEnd, _ key: UInt64, _ meeting: Meeting) -> UInt64? {
    guard let first = single[meeting] else { return nil }
    if others[meeting] == nil { return fits(end, first, key) ? first : nil }
    var keys: [UInt64] = []
    var ends: [TwinEnd] = []
    for other in [first] + (others[meeting] ?? []) where fits(end, other, key) {
      guard let life = entries[other]?.life, let twin = life.client ?? life.server else { continue }
      keys.append(other)
      ends.append(TwinEnd(twin.facts))
    }
    return TwinEnd(end.facts).twin(among: ends).map { keys[$0] }
  }

  /// Whether the life of `other` can be the other end of that of `key`.
  private func fits(_ end: LifecycleEnd, _ other: UInt64, _ key: UInt64) -> Bool {
    guard other != key, let life = entries[other]?.life, !life.isJoined, let twin = life.client ?? life.server
    else { return false }
    return Self.match(end.facts, twin.facts)
  }

  /// Joins a client that got no answer with the request that its SYN made, whichever comes first.
  private mutating func meetHalfOpen(_ key: UInt64, _ row: Transition) -> UInt64 {
    guard let entry = entries[key], !entry.life.isJoined, entry.opening == nil,
      let end = entry.life.client ?? entry.life.server, let opening = Self.opening(end.facts)
    else { return key }
    guard let twin = halfOpen[opening], twin != key, let other = entries[twin]?.life, !other.isJoined,
      (other.client ?? other.server)?.facts.role != end.facts.role
    else {
      entries[key]?.opening = opening
      halfOpen[opening] = key
      return key
    }
    halfOpen[opening] = nil
    return join(key, entry, end, to: twin)
  }

  private static func opening(_ facts: Transition) -> Opening? {
    switch facts.role {
    case .client:
      facts.initialSendSequence.map { Opening(sequence: $0, client: facts.local, server: facts.peer) }
    case .server:
      facts.initialReceiveSequence.map { Opening(sequence: $0, client: facts.peer, server: facts.local) }
    default: nil
    }
  }

  private static func meeting(_ facts: Transition) -> Meeting? {
    if let send = facts.initialSendSequence, let receive = facts.initialReceiveSequence {
      return .sequences(UInt64(min(send, receive)) << 32 | UInt64(max(send, receive)))
    }
    guard facts.local.port != 0, facts.peer.port != 0, facts.new.isSynchronized else { return nil }
    let a = facts.local
    let b = facts.peer
    let first = (a.address.high, a.address.low, a.port) < (b.address.high, b.address.low, b.port)
    return first ? .endpoints(a, b) : .endpoints(b, a)
  }

  private static func match(_ a: Transition, _ b: Transition) -> Bool {
    guard a.role != b.role || a.role == .unknown || a.role == .client else { return false }
    if a.initialSendSequence != nil, b.initialSendSequence != nil {
      return a.initialSendSequence == b.initialReceiveSequence && a.initialReceiveSequence == b.initialSendSequence
    }
    return a.local == b.peer && a.peer == b.local && TwinEnd(a).canMeet(TwinEnd(b))
  }
}

extension Transition {
  /// Whether its end of the handshake may never learn the other's initial sequence number: a request found half-open,
  /// or a client that gave up unanswered. One that was refused made no request.
  fileprivate var isHalfOpen: Bool {
    if old == .listen, new == .synReceived { return source != .event }
    return old == .synSent && new == .closed && reason != .refused
  }
}
