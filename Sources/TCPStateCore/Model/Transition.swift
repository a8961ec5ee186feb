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
  /// The thread group id of the process whose system call made the transition; `nil` if the network did.
  public var actorPID: UInt32?
  public var actorName = ShortName()
  /// The socket's user id.
  public var userID: UInt32?
  /// cgroup v2 id.
  public var cgroup: UInt64?
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

  /// Whether its time is known.
  @inlinable
  public var hasTime: Bool { time != 0 }

  /// Whether it only says that the socket was found in that state, so isn't a transition.
  @inlinable
  public var isFound: Bool { old == new && source == .snapshot }

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
  /// What describes the transition itself stays: `time`, `sequence`, `connection`, `source`, the actor, the states
  /// and `stay`. A test requires every other field to be filled.
  public mutating func fill(from earlier: Transition, _ filling: Filling = .lasting) {
    if role == .unknown { role = earlier.role }
    closer = closer ?? earlier.closer
    reason = reason ?? earlier.reason
    resetReason = resetReason ?? earlier.resetReason
    if ownerPID == nil { (ownerPID, ownerName) = (earlier.ownerPID, earlier.ownerName) }
    userID = userID ?? earlier.userID
    cgroup = cgroup ?? earlier.cgroup
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
    if filling == .all { fillReadings(from: earlier) }
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
