// SPDX-License-Identifier: Apache-2.0

/// Where a row comes from.
public enum Source: UInt8, Sendable, BitwiseCopyable {
  /// The tracepoint reported it.
  case event
  /// A kernel iterator found it.
  case snapshot
  /// It was concluded, such as the end of TIME-WAIT.
  case derived

  public var name: StaticString {
    switch self {
    case .event: "event"
    case .snapshot: "snapshot"
    case .derived: "derived"
    }
  }
}

/// One socket going from one state to another: the source of every view, and one
/// row of CSV or JSON Lines.
///
/// `nil` is unknown; an unknown count or time is never 0. All members are plain
/// values, so copying a transition doesn't allocate.
public struct Transition: Sendable, BitwiseCopyable {
  /// Nanoseconds since the epoch, CLOCK_REALTIME; 0 in recordings without times (`hasTime`).
  public var time: UInt64 = 0
  /// How `time` relates to when the transition was; `nil` in recordings that don't say.
  public var timeKind: TimeKind?
  /// If `time` is a bound: how far from it the transition was at most, in nanoseconds. `nil` if that isn't known.
  public var timeErrorNanoseconds: UInt64?
  /// 1, 2, 3 … in the order written; a gap is a loss.
  public var sequence: UInt64 = 0
  /// The kernel's socket cookie, or a stand-in where the kernel provides none.
  public var connection: UInt64 = 0
  public var role = Role.unknown
  public var closer: Closer?
  public var reason: Reason?
  /// Why the RST that ended it was sent, on kernels that report it (Linux 6.10 and newer).
  public var resetReason: ResetReason?
  public var source = Source.event

  /// The thread group id of the process that holds the socket, in the PID namespace of the tracer. `nil` with a name if
  /// the process is outside that.
  public var ownerPID: UInt32?
  /// Empty if unknown, as are all names here.
  public var ownerName = ShortName()
  /// How the owner is known; `nil` also in recordings without it.
  public var ownerKind: OwnerKind?
  /// The thread group id of the process whose system call made the transition; `nil` if the network did.
  public var actorPID: UInt32?
  public var actorName = ShortName()
  /// The socket's user id.
  public var userID: UInt32?
  /// cgroup v2 id.
  public var cgroup: UInt64?
  /// The container, pod and unit of that cgroup, or else of the owner; unknown unless the source was asked to name them.
  public var workload = Workload()
  /// Inode of the network namespace.
  public var netns: UInt32?
  /// Index of the network interface.
  public var interface: UInt32?

  public var local = Endpoint.none
  public var peer = Endpoint.none
  public var old = TCPState.closed
  public var new = TCPState.closed
  /// How long the socket was in `old`.
  public var stay: Stay?

  /// Bytes of payload sent, without retransmissions.
  public var bytesSent: UInt64?
  public var bytesReceived: UInt64?
  /// Smoothed round-trip time.
  public var rttMicroseconds: UInt32?
  /// Segments retransmitted.
  public var retransmits: UInt32?

  /// ISS and IRS (RFC 9293, section 3.3.1), modulo 2^32, as are all sequence numbers here.
  public var initialSendSequence: UInt32?
  public var initialReceiveSequence: UInt32?
  public var sendUnacknowledged: UInt32?
  public var sendNext: UInt32?
  public var receiveNext: UInt32?
  /// Bytes of payload received that the application hasn't read.
  public var unreadBytes: UInt32?
  /// Bytes of payload sent that the peer hasn't acknowledged.
  public var unacknowledgedBytes: UInt32?
  /// Bytes of payload written that haven't been sent.
  public var unsentBytes: UInt32?
  /// 1 if the receive direction is shut down (RCV_SHUTDOWN in `sk_shutdown`, net/ipv4/tcp.c): by the peer's FIN, by
  /// close(), which does so before it sends the FIN, or by shutdown(SHUT_RD or SHUT_RDWR). 0 if it isn't, so a FIN
  /// that this end sends then comes from shutdown(SHUT_WR).
  public var receiveShutdown: UInt32?
  /// Which call sent this end's FIN. In the row to FIN-WAIT-1 or LAST-ACK `nil` unless `receiveShutdown` is 0: close()
  /// and shutdown(SHUT_RDWR) differ only afterwards, by who can still reach the socket.
  public var finCall: FinCall?
  public var sendWindowBytes: UInt32?
  public var receiveWindowBytes: UInt32?
  public var congestionWindowPackets: UInt32?
  /// `nil` while slow start has no threshold.
  public var slowStartThresholdPackets: UInt32?
  public var congestionControl = ShortName()
  public var rtoMicroseconds: UInt64?
  public var synAckRetransmits: UInt32?
  public var segmentsSent: UInt32?
  public var segmentsReceived: UInt32?
  /// `struct sock *`; the kernel reuses addresses.
  public var socketAddress: UInt64?

  public init() {}

  /// Sets how well `time` is known.
  ///
  /// - Parameter error: how far from `time` the transition was at most, in nanoseconds; `nil` if that isn't known.
  @inlinable
  public mutating func setTime(_ kind: TimeKind, error: UInt64?) {
    timeKind = kind
    timeErrorNanoseconds = error
  }

  /// Whether its time is known.
  @inlinable
  public var hasTime: Bool { time != 0 }

  /// Whether it only says that the socket was found in that state, or whose it was found to be, so isn't a transition.
  @inlinable
  public var isFound: Bool { old == new && source == .snapshot }

  /// A row that only says by its sequence that events were lost right before it, when no other row comes after them. It
  /// has the form of a socket that was found, and no socket has its id, 0.
  public static func lossMarker(time: UInt64, sequence: UInt64) -> Transition {
    var row = Transition()
    row.source = .snapshot
    row.time = time
    row.sequence = sequence
    return row
  }

  @inlinable
  public var isLossMarker: Bool { connection == 0 && isFound && new == .closed }

  /// Whether its owner is only the listener's although the connection is open, so any process may have accepted it.
  /// Until then it waits at the listener, and is its owner's.
  @inlinable
  public var isOwnerPresumed: Bool { ownerKind == .inherited && old != .listen && old != .synReceived }

  /// Whether the packets are IPv4, also on an IPv6 socket with v4-mapped addresses.
  @inlinable
  public var isIPv4: Bool { local.address.isIPv4 || peer.address.isIPv4 }
}

extension Transition {
  /// What `fill(from:_:)` takes over.
  public enum Filling: Sendable {
    /// What belongs to the socket as a whole: its ends, its processes, its totals.
    case lasting
    /// Also readings such as windows and timers, which describe the moment of the earlier row.
    case all
  }

  /// Fills what this row doesn't know from an earlier row of the same socket.
  ///
  /// What describes the transition itself stays: `time` and how well it is known, `sequence`, `connection`, `source`,
  /// the actor, the states and `stay`. A test requires every other field to be filled.
  public mutating func fill(from earlier: Transition, _ filling: Filling = .lasting) {
    if role == .unknown { role = earlier.role }
    closer = closer ?? earlier.closer
    reason = reason ?? earlier.reason
    resetReason = resetReason ?? earlier.resetReason
    if ownerPID == nil {
      (ownerPID, ownerName, ownerKind) = (earlier.ownerPID, earlier.ownerName, earlier.ownerKind)
    }
    userID = userID ?? earlier.userID
    cgroup = cgroup ?? earlier.cgroup
    if workload.isUnknown { workload = earlier.workload }
    netns = netns ?? earlier.netns
    interface = interface ?? earlier.interface
    if local.port == 0 { local = earlier.local }
    if peer.port == 0 { peer = earlier.peer }
    bytesSent = bytesSent ?? earlier.bytesSent
    bytesReceived = bytesReceived ?? earlier.bytesReceived
    rttMicroseconds = rttMicroseconds ?? earlier.rttMicroseconds
    retransmits = retransmits ?? earlier.retransmits
    initialSendSequence = initialSendSequence ?? earlier.initialSendSequence
    initialReceiveSequence = initialReceiveSequence ?? earlier.initialReceiveSequence
    sendNext = sendNext ?? earlier.sendNext
    receiveNext = receiveNext ?? earlier.receiveNext
    synAckRetransmits = synAckRetransmits ?? earlier.synAckRetransmits
    finCall = finCall ?? earlier.finCall
    if filling == .all { fillReadings(from: earlier) }
  }

  /// Makes unknown what changes without a transition, so that an old row's isn't taken for that of now.
  public mutating func forgetReadings() {
    (bytesSent, bytesReceived, rttMicroseconds, retransmits) = (nil, nil, nil, nil)
    (sendNext, receiveNext, sendUnacknowledged) = (nil, nil, nil)
    (unreadBytes, unacknowledgedBytes, unsentBytes) = (nil, nil, nil)
    (sendWindowBytes, receiveWindowBytes) = (nil, nil)
    (congestionWindowPackets, slowStartThresholdPackets, rtoMicroseconds) = (nil, nil, nil)
    (segmentsSent, segmentsReceived) = (nil, nil)
  }

  private mutating func fillReadings(from earlier: Transition) {
    sendUnacknowledged = sendUnacknowledged ?? earlier.sendUnacknowledged
    unreadBytes = unreadBytes ?? earlier.unreadBytes
    unacknowledgedBytes = unacknowledgedBytes ?? earlier.unacknowledgedBytes
    unsentBytes = unsentBytes ?? earlier.unsentBytes
    receiveShutdown = receiveShutdown ?? earlier.receiveShutdown
    sendWindowBytes = sendWindowBytes ?? earlier.sendWindowBytes
    receiveWindowBytes = receiveWindowBytes ?? earlier.receiveWindowBytes
    congestionWindowPackets = congestionWindowPackets ?? earlier.congestionWindowPackets
    slowStartThresholdPackets = slowStartThresholdPackets ?? earlier.slowStartThresholdPackets
    if congestionControl.isEmpty { congestionControl = earlier.congestionControl }
    rtoMicroseconds = rtoMicroseconds ?? earlier.rtoMicroseconds
    segmentsSent = segmentsSent ?? earlier.segmentsSent
    segmentsReceived = segmentsReceived ?? earlier.segmentsReceived
    socketAddress = socketAddress ?? earlier.socketAddress
  }
}
