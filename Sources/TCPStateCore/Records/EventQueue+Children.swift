// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent

/// Children of a listener before Linux 6.15.
///
/// There the kernel sets the child's state before its cookie, addresses and ports (inet_csk_clone_lock(),
/// net/ipv4/inet_connection_sock.c), so the event LISTEN → SYN-RECEIVED still has the listener's. The next event of
/// the same socket, some 20 µs later, has the child's own.
extension EventQueue {
  /// How long such an event waits for the next one, in nanoseconds.
  public static let patience: UInt64 = 50_000_000

  /// Whether it is a child's first event and lacks the child's own fields.
  @inlinable @inline(__always)
  static func isIncomplete(_ event: UnsafePointer<tcpstate_event>) -> Bool {
    event.pointee.state_old == TCPState.listen.number && event.pointee.state_new == TCPState.synReceived.number
      && event.pointee.peer_port == 0
  }

  /// Copies the child's own fields from its second event to its first.
  static func complete(_ first: UnsafeMutablePointer<tcpstate_event>, from event: tcpstate_event) {
    first.pointee.cookie = event.cookie
    first.pointee.local_address = event.local_address
    first.pointee.peer_address = event.peer_address
    first.pointee.local_port = event.local_port
    first.pointee.peer_port = event.peer_port
  }
}
