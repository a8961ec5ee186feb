import CTCPStateEvent

/// What takes the place of cookies and of the kernel's own storage, on kernels before 5.12.
///
/// There a socket is known by its address, which the next one may have as soon
/// as it is gone, and its timewait minisock by its ends.
extension ConnectionTracker {
  /// The connection that a record is of.
  @inline(__always)
  func find(_ event: UnsafePointer<tcpstate_event>) -> UnsafeMutablePointer<Connection>? {
    event.pointee.cookie == 0 && Self.isMinisock(event) ? findMinisock(event) : table.find(Self.key(event))
  }

  private func findMinisock(_ event: UnsafePointer<tcpstate_event>) -> UnsafeMutablePointer<Connection>? {
    table.findMinisock(
      local: Endpoint(address: Self.address(event, offset: Self.localAddressOffset), port: event.pointee.local_port),
      peer: Endpoint(address: Self.address(event, offset: Self.peerAddressOffset), port: event.pointee.peer_port),
      netns: event.pointee.netns)
  }

  static func isMinisock(_ event: UnsafePointer<tcpstate_event>) -> Bool {
    event.pointee.kind == TCPSTATE_KIND_TIMEWAIT
      || event.pointee.kind == TCPSTATE_KIND_RESET_SENT && TCPState(number: event.pointee.state_new) == .timeWait
  }

  /// The full socket is gone, so its address is no longer this connection's.
  mutating func releaseAddress(_ connection: UnsafeMutablePointer<Connection>) {
    guard connection.pointee.key != connection.pointee.id else { return }
    if passUnderWay { endedDuringPass.insert(connection.pointee.key) }
    table.rekey(connection, to: connection.pointee.id)
  }

  /// Keeps who listens where, and gives a child its listener's owner until it
  /// has acted itself. Of several that share a port, the last to listen is taken.
  mutating func inheritOwner(_ connection: UnsafeMutablePointer<Connection>, old: TCPState, new: TCPState) {
    let key = UInt64(connection.pointee.netns) << 16 | UInt64(connection.pointee.local.port)
    switch (old, new) {
    case (_, .listen):
      listenerOwners[key] = SocketHolder(
        pid: connection.pointee.ownerPID, name: connection.pointee.ownerName, descriptor: nil)
    case (.listen, .closed):
      if listenerOwners[key]?.pid == connection.pointee.ownerPID { listenerOwners[key] = nil }
    default:
      guard connection.pointee.role == .server, connection.pointee.ownerPID == 0, let owner = listenerOwners[key]
      else { return }
      connection.pointee.ownerPID = owner.pid
      connection.pointee.ownerName = owner.name
    }
  }
}
