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

  /// Takes note of a process that holds an MPTCP socket; the TCP connections below it come later in the reading.
  mutating func noteMPTCP(_ event: UnsafePointer<tcpstate_event>) {
    let address = event.pointee.socket_address
    guard event.pointee.owner_pid != 0, mptcpHolders[address] == nil else { return }
    mptcpHolders[address] = (event.pointee.owner_pid, Self.name(event, offset: Self.ownerNameOffset))
  }

  /// Gives a TCP connection the owner of the MPTCP socket above it, if it has none.
  @inline(__always)
  func inheritFromMPTCP(
    _ connection: UnsafeMutablePointer<Connection>, _ snapshot: UnsafePointer<tcpstate_snapshot>
  ) {
    guard snapshot.pointee.mptcp_socket != 0, connection.pointee.ownerPID == 0,
      let holder = mptcpHolders[snapshot.pointee.mptcp_socket]
    else { return }
    (connection.pointee.ownerPID, connection.pointee.ownerName) = holder
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
