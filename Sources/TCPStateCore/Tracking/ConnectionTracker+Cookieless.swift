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
    EventRecord(event).isMinisock
  }

  /// The full socket is gone, so its address is no longer this connection's.
  mutating func releaseAddress(_ connection: UnsafeMutablePointer<Connection>) {
    guard connection.pointee.key != connection.pointee.id else { return }
    if passUnderWay { endedDuringPass.insert(connection.pointee.key) }
    table.rekey(connection, to: connection.pointee.id)
  }
}
