// SPDX-License-Identifier: Apache-2.0
/// One end of a connection, as far as it matters for which socket can be the other end.
///
/// Addresses and ports alone don't identify a connection on a host with several network namespaces: each has its own
/// 127.0.0.1, and may have the same networks as another one.
public struct TwinEnd: Sendable, BitwiseCopyable {
  private let local: IPAddress
  private let peer: IPAddress
  private let netns: UInt32?
  private let interface: UInt32?

  public init(_ row: borrowing Transition) {
    (local, peer) = (row.local.address, row.peer.address)
    (netns, interface) = (row.netns, row.interface)
  }

  /// Whether a socket with the same addresses and ports the other way round can be its other end.
  public func canMeet(_ other: TwinEnd) -> Bool {
    guard let netns, let theirs = other.netns else { return true }
    if netns != theirs {
      // What goes to the same address, or to loopback, doesn't leave the namespace.
      return local != peer && !local.isLoopback && !peer.isLoopback
    }
    // The same link-local address may exist once for each interface (RFC 4007, section 4).
    guard local.isLinkLocal, let interface, let via = other.interface else { return true }
    return interface == via
  }

  /// Whether a later socket with the same addresses and ports takes its place: there can be one of them in a namespace.
  public func isReplaced(by later: TwinEnd) -> Bool {
    netns == later.netns && (!local.isLinkLocal || interface == later.interface)
  }

  /// The one end among several that is certainly or most likely the other one: in the same namespace, or else the
  /// only one there is.
  ///
  /// - Parameter others: ends that `canMeet` this one.
  /// - Returns: its index; `nil` if there is none, or it isn't known which one it is.
  public func twin(among others: [TwinEnd]) -> Int? {
    guard others.count > 1 else { return others.indices.first }
    let near = others.indices.filter { netns != nil && others[$0].netns == netns }
    return near.count == 1 ? near[0] : nil
  }
}
