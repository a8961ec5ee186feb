// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent

/// Which process owns a socket, and how that is known.
extension ConnectionTracker {
  /// Whether no process has been seen with the socket.
  @inline(__always)
  static func lacksOwner(_ connection: UnsafeMutablePointer<Connection>) -> Bool {
    connection.pointee.ownerPID == 0 || connection.pointee.ownerKind == .inherited
  }

  /// Takes over the owner that a record names. A listener's doesn't replace one that was seen with the socket.
  @inline(__always)
  static func takeOwner(_ connection: UnsafeMutablePointer<Connection>, from event: UnsafePointer<tcpstate_event>) {
    let kind = OwnerKind(number: event.pointee.owner_kind)
    guard kind != .inherited || Self.lacksOwner(connection) else { return }
    connection.pointee.ownerPID = event.pointee.owner_pid
    // Safe for the same reason as `name(_:offset:)`.
    connection.pointee.ownerName.replace(padded: UnsafeRawPointer(event) + Self.ownerNameOffset)
    connection.pointee.ownerKind = kind
  }

  // MARK: - From the listener

  /// Gives a listener's child its listener's owner, until another process is seen with it.
  ///
  /// The kernel prefers a listener bound to exactly that address to one bound to any address
  /// (__inet_lookup_listener(), net/ipv4/inet_hashtables.c). If listeners of several owners match
  /// equally well, the child gets no owner.
  mutating func inheritOwner(_ connection: UnsafeMutablePointer<Connection>) {
    let local = connection.pointee.local
    let keys = listeners.listeners(on: local.port, netns: connection.pointee.netns, in: table)
    var best = -1
    var owner: UnsafeMutablePointer<Connection>?
    for key in keys {
      guard let listener = table.find(key), listener.pointee.ownerPID != 0 else { continue }
      let bound = listener.pointee.local.address
      let score: Int
      if bound == local.address {
        score = 2
      } else if bound.isUnspecified {
        score = bound.isIPv4 == local.address.isIPv4 ? 1 : 0
      } else {
        continue
      }
      if score > best {
        best = score
        owner = listener
      } else if score == best, owner?.pointee.ownerPID != listener.pointee.ownerPID {
        owner = nil
      }
    }
    guard let owner else { return }
    connection.pointee.ownerPID = owner.pointee.ownerPID
    connection.pointee.ownerName = owner.pointee.ownerName
    connection.pointee.ownerKind = .inherited
  }

  /// Notes for half-open requests that the listener they belong to was closed: nothing accepts them any more, and the
  /// kernel drops them without an event (reqsk_timer_handler(), net/ipv4/inet_connection_sock.c).
  ///
  /// - Parameters:
  ///   - listener: still tracked.
  ///   - time: when it was closed, CLOCK_MONOTONIC.
  mutating func closeListener(_ listener: UnsafeMutablePointer<Connection>, at time: UInt64) {
    guard requestCount > 0 else { return }
    let closed = listener.pointee
    let tick = wheel?.tick ?? 0
    let others = listeners.listeners(on: closed.local.port, netns: closed.netns, in: table)
    var requests: [UnsafeMutablePointer<Connection>] = []
    table.forEach { request in
      if request.pointee.flags.contains(.request), request.pointee.netns == closed.netns,
        Self.serves(closed, request.pointee.local)
      {
        requests.append(request)
      }
    }
    for request in requests {
      // A timer that was due before and sent no SYN-ACK again was its last one. It may be due up to a tick earlier than
      // computed, and runs a little later.
      let expires = request.pointee.expires
      if expires != 0, expires.saturatingAdding(tick) <= time, lossBegan == nil { continue }
      let mayBeOver = expires != 0 && expires <= time.saturatingAdding(tick)
      let hasOther = others.contains { key in
        guard key != closed.key, let other = table.find(key) else { return false }
        return Self.serves(other.pointee, request.pointee.local)
      }
      request.pointee.flags.insert(hasOther || mayBeOver ? .listenerDoubtful : .listenerClosed)
    }
  }

  /// Whether a listener is bound so that it gets connections to `local`.
  private static func serves(_ listener: Connection, _ local: Endpoint) -> Bool {
    listener.local.port == local.port
      && (listener.local.address == local.address || listener.local.address.isUnspecified)
  }

  // MARK: - Seen with the connection

  /// Has the connection looked after if its owner isn't known by then.
  @inline(__always)
  mutating func seekOwner(_ connection: UnsafeMutablePointer<Connection>, from time: UInt64) {
    guard Self.lacksOwner(connection), !table.isUnkept(connection) else { return }
    owners.add(connection.pointee.key, at: time)
  }

  /// A process has accepted the connection, or is the first to read from it.
  ///
  /// - Returns: false: there is no row yet, because most connections have one soon that shows it.
  mutating func applyOwner(_ event: UnsafePointer<tcpstate_event>) -> Bool {
    guard let connection = table.find(Self.key(event)), !connection.pointee.isSilent else { return false }
    let before = connection.pointee.ownerPID
    Self.takeOwner(connection, from: event)
    guard connection.pointee.ownerPID != before else { return false }
    connection.pointee.flags.insert(.ownerChanged)
    owners.add(connection.pointee.key, at: event.pointee.timestamp_ns)
    return false
  }

  /// Goes through the connections that have had their time to show their owner. Afterwards `nextOwnerRow` has rows,
  /// and `soughtOwners` says whether to look at descriptors.
  ///
  /// - Parameter time: all events up to then have been applied, CLOCK_MONOTONIC.
  public mutating func followOwners(until time: UInt64) {
    while let key = owners.next(until: time) {
      guard let connection = table.find(key), !connection.pointee.isSilent else { continue }
      if Self.lacksOwner(connection) {
        owners.seek(key)
      } else if connection.pointee.flags.contains(.ownerChanged) {
        owners.toShow.append(key)
      }
    }
  }

  /// Whether connections wait for a look at descriptors, and whether one hasn't been looked for before.
  public var soughtOwners: (any: Bool, new: Bool) { (!owners.sought.isEmpty, owners.hasNew) }

  /// Takes a record of a socket that a process holds.
  public mutating func noteHolder(_ snapshot: UnsafePointer<tcpstate_snapshot>) {
    guard !owners.sought.isEmpty else { return }
    // `event` is the first member, so this is its address.
    let event = UnsafeRawPointer(snapshot).assumingMemoryBound(to: tcpstate_event.self)
    let key = Self.key(event)
    guard owners.sought.contains(key), let connection = table.find(key) else { return }
    if connection.pointee.ownerKind == .holder {
      // Several hold it. The listener's owner comes first if it does: others may have got the descriptor by a fork().
      guard owners.presumed[key] == event.pointee.owner_pid else { return }
    } else {
      guard Self.lacksOwner(connection) else { return }
      owners.presumed[key] = connection.pointee.ownerPID
    }
    Self.takeOwner(connection, from: event)
    connection.pointee.flags.insert(.ownerChanged)
  }

  /// Takes a whole record of a socket that a process holds, and begins to track a socket that wasn't tracked: with a
  /// filter by cgroup, it may be wanted only since now.
  public mutating func noteMember(_ snapshot: UnsafePointer<tcpstate_snapshot>) {
    // `event` is the first member, so this is its address.
    let event = UnsafeRawPointer(snapshot).assumingMemoryBound(to: tcpstate_event.self)
    let key = Self.key(event)
    if let known = table.find(key) {
      guard Self.lacksOwner(known), !known.pointee.isSilent else { return }
      Self.takeOwner(known, from: event)
    } else {
      var row = Transition()
      guard knowsExisting, !apply(snapshot, to: &row) else { return }
    }
    guard let connection = table.find(key) else { return }
    connection.pointee.flags.insert(.ownerChanged)
    owners.toShow.append(key)
  }

  /// Ends a look at descriptors. Connections that nobody holds haven't been accepted; they go on waiting.
  public mutating func endLook() {
    for key in owners.takeSought() {
      guard let connection = table.find(key), !connection.pointee.isSilent else { continue }
      if Self.lacksOwner(connection) {
        owners.seekAgain(key)
      } else if connection.pointee.flags.contains(.ownerChanged) {
        owners.toShow.append(key)
      }
    }
  }

  /// Fills a row that says whose a connection is, because no row of it has shown that; its state stays.
  ///
  /// Its time is that of the state's beginning, as in `forEachOpen`: whoever takes a connection's last row to find out how
  /// long it has been in its state gets the same answer as without it.
  ///
  /// - Returns: whether there is one.
  public mutating func nextOwnerRow(to row: inout Transition) -> Bool {
    while let key = owners.toShow.popLast() {
      guard let connection = table.find(key), connection.pointee.flags.contains(.ownerChanged) else { continue }
      write(connection, at: connection.pointee.entered, source: .snapshot, to: &row)
      row.setTime(connection.pointee.flags.contains(.enteredExactly) ? .exact : .atMost, error: nil)
      row.old = connection.pointee.state
      row.new = connection.pointee.state
      connection.pointee.flags.remove(.ownerChanged)
      return true
    }
    return false
  }

  // MARK: - The actor

  /// Takes note of a process that holds an MPTCP socket; the TCP connections below it come later in the reading.
  mutating func noteMPTCP(_ event: UnsafePointer<tcpstate_event>) {
    let address = event.pointee.socket_address
    guard event.pointee.owner_pid != 0, mptcpHolders[address] == nil else { return }
    mptcpHolders[address] = (event.pointee.owner_pid, Self.name(event, offset: Self.ownerNameOffset))
  }

  /// Gives a TCP connection the owner of the MPTCP socket above it, if no process has been seen with it.
  ///
  /// - Returns: whether it did.
  @inline(__always) @discardableResult
  func inheritFromMPTCP(
    _ connection: UnsafeMutablePointer<Connection>, _ snapshot: UnsafePointer<tcpstate_snapshot>
  ) -> Bool {
    guard snapshot.pointee.mptcp_socket != 0, Self.lacksOwner(connection),
      let holder = mptcpHolders[snapshot.pointee.mptcp_socket]
    else { return false }
    (connection.pointee.ownerPID, connection.pointee.ownerName) = holder
    connection.pointee.ownerKind = .holder
    return true
  }

  /// Whether the process that the event names really acted.
  ///
  /// A reading of the tables holds each socket for a moment. If its process closes it just then, the
  /// tracer performs the close, so the tracer counts as the actor only for sockets that it owns.
  @inline(__always)
  static func trusts(_ event: UnsafePointer<tcpstate_event>, _ connection: UnsafeMutablePointer<Connection>) -> Bool {
    Int32(event.pointee.flags) & TCPSTATE_FLAG_BY_TRACER == 0
      || connection.pointee.ownerPID == event.pointee.actor_pid
  }
}
