import CTCPStateEvent
import TCPStateCore

/// Children of a listener on kernels before 6.15.
///
/// These set the child's state before its cookie, addresses and ports
/// (inet_csk_clone_lock(), net/ipv4/inet_connection_sock.c), so the event LISTEN
/// → SYN-RECEIVED still has the listener's. The next event of the same socket,
/// some 20 µs later, has its own.
extension EventQueue {
  /// Nanoseconds that the queue waits at such an event for the next one.
  static let patience: UInt64 = 50_000_000

  /// Whether it is a child's first event, which doesn't know the child yet.
  @inline(__always)
  static func isIncomplete(_ event: UnsafePointer<tcpstate_event>) -> Bool {
    event.pointee.state_old == TCPState.listen.number && event.pointee.state_new == TCPState.synReceived.number
      && event.pointee.peer_port == 0
  }

  /// Gives the child's first event what `event`, its second, has.
  static func complete(_ first: UnsafeMutablePointer<tcpstate_event>, from event: tcpstate_event) {
    first.pointee.cookie = event.cookie
    first.pointee.local_address = event.local_address
    first.pointee.peer_address = event.peer_address
    first.pointee.local_port = event.local_port
    first.pointee.peer_port = event.peer_port
  }
}
