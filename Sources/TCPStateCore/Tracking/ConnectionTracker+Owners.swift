import CTCPStateEvent

/// Who owns what the kernel side doesn't tell of.
extension ConnectionTracker {
  /// Gives a listener's child its listener's owner, until somebody else is seen reading from it.
  ///
  /// The kernel takes the listener that is bound to the very address before one that is
  /// bound to all (__inet_lookup_listener(), net/ipv4/inet_hashtables.c). Where listeners of
  /// several owners match as well as each other, nobody is named.
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

  /// Whether the process that the event names really acted. A reading of the tables holds each
  /// socket for a moment; what its process closes just then is closed by the tracer, which only did
  /// so of its own accord where it is the owner.
  @inline(__always)
  static func trusts(_ event: UnsafePointer<tcpstate_event>, _ connection: UnsafeMutablePointer<Connection>) -> Bool {
    Int32(event.pointee.flags) & TCPSTATE_FLAG_BY_TRACER == 0
      || connection.pointee.ownerPID == event.pointee.actor_pid
  }
}
