import CTCPStateEvent

/// Owners of sockets for which the kernel side reports none.
extension ConnectionTracker {
  /// Gives a listener's child its listener's owner, until another process is seen reading from it.
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
  }

  /// Notes for half-open requests that the listener they belong to was closed: nothing accepts them any more, and the
  /// kernel drops them without an event (reqsk_timer_handler(), net/ipv4/inet_connection_sock.c).
  ///
  /// - Parameter listener: still tracked.
  mutating func closeListener(_ listener: UnsafeMutablePointer<Connection>) {
    guard requestCount > 0 else { return }
    let closed = listener.pointee
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
      let hasOther = others.contains { key in
        guard key != closed.key, let other = table.find(key) else { return false }
        return Self.serves(other.pointee, request.pointee.local)
      }
      request.pointee.flags.insert(hasOther ? .listenerDoubtful : .listenerClosed)
    }
  }

  /// Whether a listener is bound so that it gets connections to `local`.
  private static func serves(_ listener: Connection, _ local: Endpoint) -> Bool {
    listener.local.port == local.port
      && (listener.local.address == local.address || listener.local.address.isUnspecified)
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
