// SPDX-License-Identifier: Apache-2.0

/// One open socket in `top`: what sorting, filtering, grouping and drawing it need.
///
/// Plain values only, because a hundred thousand of them are copied once a second. `nil` is unknown.
public struct TopRow: Sendable, BitwiseCopyable {
  /// How soon somebody should look at it; the worst first.
  public enum Rank: UInt8, Sendable, Comparable {
    /// It has been in CLOSE-WAIT for so long that a program must have forgotten it.
    case stuck
    /// It has been opening or closing for so long that the peer or the network doesn't answer.
    case stalled
    case usual
    /// TIME-WAIT, which ends by itself.
    case ending

    public static func < (a: Rank, b: Rank) -> Bool { a.rawValue < b.rawValue }
  }

  /// From how many nanoseconds on a state that should be short counts as stuck or stalled: what `stuck` takes if
  /// nothing else is asked for.
  public static let patience = StuckQuery().olderThan

  public var connection: UInt64
  public var state: TCPState
  /// How long it has been in `state`.
  public var stay: Stay?
  public var role: Role
  public var ownerKind: OwnerKind?
  public var ownerPID: UInt32?
  public var ownerName: ShortName
  public var local: Endpoint
  public var peer: Endpoint
  /// Inode of the network namespace.
  public var netns: UInt32?
  /// Index of the network interface that it is bound to.
  public var interface: UInt32?
  /// Its container, pod and unit.
  public var workload: Workload
  /// Bytes of payload sent, without retransmissions.
  public var bytesSent: UInt64?
  public var bytesReceived: UInt64?
  /// Smoothed round-trip time.
  public var rttMicroseconds: UInt32?
  /// Segments retransmitted.
  public var retransmits: UInt32?

  /// - Parameter facts: `new` is its state, `stay` its time in that state.
  public init(_ facts: borrowing Transition) {
    connection = facts.connection
    state = facts.new
    stay = facts.stay
    role = facts.role
    (ownerKind, ownerPID, ownerName) = (facts.ownerKind, facts.ownerPID, facts.ownerName)
    (local, peer) = (facts.local, facts.peer)
    (netns, interface, workload) = (facts.netns, facts.interface, facts.workload)
    (bytesSent, bytesReceived) = (facts.bytesSent, facts.bytesReceived)
    (rttMicroseconds, retransmits) = (facts.rttMicroseconds, facts.retransmits)
  }

  /// Bytes of payload in both directions; `nil` if neither is known.
  public var bytes: UInt64? {
    bytesSent == nil && bytesReceived == nil ? nil : (bytesSent ?? 0).saturatingAdding(bytesReceived ?? 0)
  }

  public var rank: Rank {
    if state == .timeWait { return .ending }
    guard let stay, stay.nanoseconds >= Self.patience, state != .established else { return .usual }
    return state == .closeWait ? .stuck : .stalled
  }
}
