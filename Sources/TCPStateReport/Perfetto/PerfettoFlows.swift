// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// Finds the two ends of a SYN or FIN if both sockets are on this host.
///
/// A connection sends one SYN and one FIN in each direction, so an arrow is identified by its endpoints and by
/// which of the two it is. Its tail and head come with slices, in either order; the second one draws it.
struct PerfettoFlows {
  enum Kind: Hashable {
    case syn, fin

    var name: StaticString { self == .syn ? "SYN" : "FIN" }
  }

  /// The beginning of a slice.
  struct End {
    var track: PerfettoTrack
    var time: UInt64
  }

  private struct Key: Hashable {
    var from: Endpoint
    var to: Endpoint
    var kind: Kind
    var isTail: Bool
  }

  private struct Half {
    var end: End
    /// The sender's initial sequence number, which distinguishes equal endpoints in different namespaces.
    var sequence: UInt32?
    var socket: TwinEnd
  }

  /// The number of waiting halves per generation. There are at most two generations, because the other half of an
  /// arrow may never come.
  private static let capacity = 65_536

  private var halves: [Key: [Half]] = [:]
  private var older: [Key: [Half]] = [:]
  /// Addresses of this host; a peer elsewhere has no slices.
  private var hosts: Set<IPAddress> = []
  /// The last arrow's id.
  private var id: UInt64 = 0

  mutating func learn(_ row: Transition) {
    if !row.local.address.isUnspecified { hosts.insert(row.local.address) }
  }

  /// - Returns: the arrow that the slice completes, with its own id.
  mutating func match(
    _ slice: PerfettoSlice, on track: PerfettoTrack, of row: Transition
  ) -> (id: UInt64, kind: Kind, from: End, to: End)? {
    guard slice.hasRoom, hosts.contains(row.peer.address), row.local != row.peer,
      let (kind, isTail) = Self.role(of: slice.state, row.role)
    else { return nil }
    let key = Key(
      from: isTail ? row.local : row.peer, to: isTail ? row.peer : row.local, kind: kind, isTail: isTail)
    var twin = key
    twin.isTail.toggle()
    let half = Half(
      end: End(track: track, time: slice.start),
      sequence: isTail ? row.initialSendSequence : row.initialReceiveSequence, socket: TwinEnd(row))
    guard let other = takeOther(half, twin) else {
      wait(half, key)
      return nil
    }
    let from = isTail ? half.end : other.end
    let to = isTail ? other.end : half.end
    // A derived TIME-WAIT has a stamp truncated to milliseconds, so it may appear to begin before the
    // FIN was sent. The importer would reverse such an arrow, so leave it out.
    guard from.time <= to.time else { return nil }
    id += 1
    return (id, kind, from, to)
  }

  private mutating func wait(_ half: Half, _ key: Key) {
    if halves.count >= Self.capacity {
      older = halves
      halves = [:]
    }
    halves[key]?.removeAll { $0.socket.isReplaced(by: half.socket) }
    halves[key, default: []].append(half)
  }

  /// The other half of the arrow, which waits no longer then.
  private mutating func takeOther(_ half: Half, _ twin: Key) -> Half? {
    let waiting = (halves[twin] ?? []) + (older[twin] ?? [])
    let fitting = waiting.filter { Self.agree(half.sequence, $0.sequence) && half.socket.canMeet($0.socket) }
    guard let index = half.socket.twin(among: fitting.map(\.socket)) else { return nil }
    halves[twin] = nil
    older[twin] = nil
    let rest = waiting.filter { $0.end.track.tid != fitting[index].end.track.tid }
    if !rest.isEmpty { halves[twin] = rest }
    return fitting[index]
  }

  private static func agree(_ a: UInt32?, _ b: UInt32?) -> Bool {
    guard let a, let b else { return true }
    return a == b
  }

  /// The arrow that begins or ends with a state: at the sender's slice is its tail, at the receiver's its head.
  private static func role(of state: TCPState, _ role: Role) -> (Kind, isTail: Bool)? {
    switch state {
    case .synSent: (.syn, true)
    case .synReceived where role == .server: (.syn, false)
    case .finWait1, .lastAck: (.fin, true)
    case .closeWait, .closing, .timeWait: (.fin, false)
    default: nil
    }
  }
}
