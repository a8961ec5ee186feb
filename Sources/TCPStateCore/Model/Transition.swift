/// Which end of a connection a socket is.
public enum Role: UInt8, Sendable, BitwiseCopyable, CaseIterable {
  case unknown
  /// Active open: it sent the first SYN.
  case client
  /// Passive open: a listener's child.
  case server
  case listener

  public var name: StaticString {
    switch self {
    case .unknown: "unknown"
    case .client: "client"
    case .server: "server"
    case .listener: "listener"
    }
  }
}

/// Which end sent the first FIN, seen from this socket.
public enum Closer: UInt8, Sendable, BitwiseCopyable, CaseIterable {
  case active
  case passive
  /// The FINs crossed (simultaneous close).
  case both

  public var name: StaticString {
    switch self {
    case .active: "active"
    case .passive: "passive"
    case .both: "both"
    }
  }
}

/// Why a connection ended.
public enum Reason: UInt8, Sendable, BitwiseCopyable, CaseIterable {
  /// Orderly, by FIN from both ends.
  case fin
  case resetReceived
  case resetSent
  /// Retransmission, user or keep-alive timeout.
  case timeout
  /// The SYN was answered by a RST.
  case refused
  case unreachable
  /// By the local application without a FIN: linger 0, unread data, disconnect.
  case aborted
  /// By an administrator (`ss -K`).
  case killed
  /// The listener was closed before it accepted this connection.
  case unaccepted
  /// TIME-WAIT made way for a new connection of the same addresses and ports.
  case reused
  /// The kernel keeps no more TIME-WAIT sockets (tcp_max_tw_buckets).
  case timeWaitOverflow
  case unknown

  public var name: StaticString {
    switch self {
    case .fin: "fin"
    case .resetReceived: "reset_received"
    case .resetSent: "reset_sent"
    case .timeout: "timeout"
    case .refused: "refused"
    case .unreachable: "unreachable"
    case .aborted: "aborted"
    case .killed: "killed"
    case .unaccepted: "unaccepted"
    case .reused: "reused"
    case .timeWaitOverflow: "overflow"
    case .unknown: "unknown"
    }
  }
}

/// How well a stay's length is known.
public enum DurationKind: UInt8, Sendable, BitwiseCopyable {
  case exact
  /// A true lower bound: the beginning wasn't seen, or events were lost.
  case atLeast

  public var name: StaticString {
    switch self {
    case .exact: "exact"
    case .atLeast: "at_least"
    }
  }
}

/// What a row rests on.
public enum Source: UInt8, Sendable, BitwiseCopyable {
  /// The tracepoint told it.
  case event
  /// A kernel iterator found it so.
  case snapshot
  /// Concluded, such as the end of TIME-WAIT.
  case derived

  public var name: StaticString {
    switch self {
    case .event: "event"
    case .snapshot: "snapshot"
    case .derived: "derived"
    }
  }
}

/// How long a socket was in a state, in nanoseconds.
public struct Stay: Hashable, Sendable, BitwiseCopyable {
  public var nanoseconds: UInt64
  public var kind: DurationKind

  @inlinable
  public init(nanoseconds: UInt64, kind: DurationKind) {
    self.nanoseconds = nanoseconds
    self.kind = kind
  }
}

/// One socket going from one state to another: what every view is made from,
/// and what one row of CSV or JSON Lines says.
///
/// `nil` is unknown; an unknown count or time is never 0. All members are plain
/// values, so a transition is copied without allocation.
public struct Transition: Sendable, BitwiseCopyable {
  /// Nanoseconds since the epoch, CLOCK_REALTIME; 0 in recordings that don't tell (`hasTime`).
  public var time: UInt64 = 0
  /// 1, 2, 3 … as written; a gap is a loss.
  public var sequence: UInt64 = 0
  /// The kernel's socket cookie, or what stands in for it where it can't be had.
  public var connection: UInt64 = 0
  public var role = Role.unknown
  public var closer: Closer?
  public var reason: Reason?
  /// Why the RST was sent that ended it, on kernels that tell.
  public var resetReason: ResetReason?
  public var source = Source.event

  /// The process that holds the socket: its thread group id.
  public var ownerPID: UInt32?
  /// Empty when unknown.
  public var ownerName = ShortName()
  /// The process that made the transition by a system call; `nil` when the network did.
  public var actorPID: UInt32?
  public var actorName = ShortName()
  /// The socket's user.
  public var userID: UInt32?
  /// cgroup v2 id.
  public var cgroup: UInt64?
  /// Inode of the network namespace.
  public var netns: UInt32?
  public var interface: UInt32?

  public var local = Endpoint.none
  public var peer = Endpoint.none
  public var old = TCPState.closed
  public var new = TCPState.closed
  /// How long it was in `old`.
  public var stay: Stay?

  /// Payload sent, retransmissions left out.
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
  /// Payload received that the application hasn't read.
  public var unreadBytes: UInt32?
  /// Payload sent that the peer hasn't acknowledged.
  public var unacknowledgedBytes: UInt32?
  /// Bytes of payload written that haven't been sent.
  public var unsentBytes: UInt32?
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
  /// `struct sock *`; the kernel reuses it.
  public var socketAddress: UInt64?

  public init() {}

  /// Whether it is known when it was.
  @inlinable
  public var hasTime: Bool { time != 0 }

  /// Whether it only says that the socket was there, in that state: not a transition.
  @inlinable
  public var isFound: Bool { old == new && source == .snapshot }

  /// Whether the packets are IPv4, also on an IPv6 socket with v4-mapped addresses.
  @inlinable
  public var isIPv4: Bool { local.address.isIPv4 || peer.address.isIPv4 }
}
