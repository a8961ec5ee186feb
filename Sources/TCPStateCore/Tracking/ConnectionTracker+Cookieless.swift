// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent

/// The substitute for cookies and for the kernel's socket storage, on kernels before 5.12.
///
/// There a socket is known by its address, which the next socket may get as soon
/// as this one is gone, and its timewait minisock by its two ends.
extension ConnectionTracker {
  /// The connection that a record describes.
  @inline(__always)
  func find(_ event: UnsafePointer<tcpstate_event>) -> UnsafeMutablePointer<Connection>? {
    event.pointee.cookie == 0 && Self.isMinisock(event) ? findMinisock(event) : table.find(Self.key(event))
  }

  func findMinisock(_ event: UnsafePointer<tcpstate_event>) -> UnsafeMutablePointer<Connection>? {
    table.findMinisock(
      local: Endpoint(address: Self.address(event, offset: Self.localAddressOffset), port: event.pointee.local_port),
      peer: Endpoint(address: Self.address(event, offset: Self.peerAddressOffset), port: event.pointee.peer_port),
      netns: event.pointee.netns)
  }

  static func isMinisock(_ event: UnsafePointer<tcpstate_event>) -> Bool {
    EventRecord(event).isMinisock
  }

  /// Gives up the socket's address as the key: the full socket is gone, and another may get the address.
  mutating func releaseAddress(_ connection: UnsafeMutablePointer<Connection>) {
    guard connection.pointee.key != connection.pointee.id else { return }
    if passUnderWay { endedDuringPass.insert(connection.pointee.key) }
    table.rekey(connection, to: connection.pointee.id)
  }
}
