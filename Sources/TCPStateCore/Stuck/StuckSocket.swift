// SPDX-License-Identifier: Apache-2.0

/// A socket as one reading of the kernel's tables found it, with all of its holders.
public struct StuckSocket: Sendable {
  /// The connection id, as in `Transition.connection`.
  public var connection: UInt64
  public var state: TCPState
  /// How long it has been in this state: `exact` for TIME-WAIT and half-open
  /// requests, else a lower bound; `nil` if the reading doesn't say.
  public var age: Stay?
  /// It has been in this state for at most so many nanoseconds; `nil` if not known.
  public var atMost: UInt64?
  public var verdict = Verdict.held
  /// What it waits for; `nil` if its queues aren't known.
  public var cause: StuckCause?
  /// Every descriptor that refers to it, by process and number.
  public var holders: [SocketHolder] = []
  /// The process that held an orphan or minisock while it was traced; the kernel itself no longer knows.
  public var maker: SocketHolder?
  /// For `unaccepted` and `halfOpen`: the listener in whose queue it is. Several if
  /// SO_REUSEPORT listeners share the port, because the kernel doesn't say which.
  public var listeners: [StuckListener] = []

  /// `nil` if it has nothing to do with MPTCP.
  public var mptcp: MPTCPPart?

  public var local = Endpoint.none
  public var peer = Endpoint.none
  /// Inode of the network namespace.
  public var netns: UInt32?
  /// cgroup v2 id; `nil` for minisocks.
  public var cgroup: UInt64?
  public var userID: UInt32?
  /// The container, pod and unit of the cgroup, or else of the process that has to act.
  public var workload = Workload()

  /// Payload received that hasn't been read; `nil` for minisocks, like the next two.
  public var unreadBytes: UInt64?
  /// Payload written that hasn't been sent yet.
  public var unsentBytes: UInt64?
  /// Payload sent that the peer hasn't acknowledged.
  public var unacknowledgedBytes: UInt64?
  /// Consecutive timeouts without an answer, of a half-open request how often its SYN-ACK was sent again; `nil` if not known.
  public var timeouts: UInt32?
  /// Keepalive or window probes without an answer; `nil` if not known.
  public var probes: UInt32?
  /// For at least so many nanoseconds the peer's receive window has been shut; `nil` if it isn't, or not known.
  public var windowShut: UInt64?
  /// Nanoseconds since payload last arrived, or since the handshake if none has; `nil` if not known.
  public var silence: UInt64?
  /// In TIME-WAIT: whether TCP timestamps allow connect() to take over its port; `nil` if not known.
  public var hasTimestamps: Bool?
  /// Whether the process has SO_KEEPALIVE set; `nil` if not known.
  public var hasKeepalive: Bool?
  /// Nanoseconds until the next one; `nil` if no timer runs.
  public var nextTimeout: UInt64?

  /// What the processes are doing that have to act on it, as far as that was looked for.
  public var activities: [HolderActivity] = []
  /// The CPU time that a process had used when the socket entered its state, in nanoseconds; `nil` if not known.
  public var cpuBefore: (pid: UInt32, cpu: UInt64)?

  /// Whether it was in its state before watching began.
  public var isOlder = false

  public init(connection: UInt64, state: TCPState) {
    self.connection = connection
    self.state = state
  }

  /// The holding processes, each once with its first descriptor.
  public var processes: [SocketHolder] {
    guard holders.count > 1 else { return holders }
    var seen: Set<UInt32> = []
    return holders.filter { seen.insert($0.pid).inserted }
  }

  /// The first holder, else the process that held it when it was traced.
  public var owner: SocketHolder? { holders.first ?? maker }

  /// The processes that must act: its holders, else its listeners' holders.
  public var responsible: [SocketHolder] {
    if !holders.isEmpty { return processes }
    var seen: Set<UInt32> = []
    return listeners.flatMap(\.holders).filter { seen.insert($0.pid).inserted }
  }
}

/// A listener in whose queues sockets wait.
public struct StuckListener: Sendable {
  public var local: Endpoint
  public var holders: [SocketHolder]
  /// Connections waiting for accept().
  public var acceptQueue: UInt32
  /// The backlog. The kernel accepts one connection more than this before the queue is full.
  public var acceptQueueLimit: UInt32
  /// Half-open requests.
  public var requestQueue: UInt32
  /// Whether it has TCP_DEFER_ACCEPT: a connection appears with its first data.
  public var defersAccept = false

  public init(
    local: Endpoint, holders: [SocketHolder], acceptQueue: UInt32, acceptQueueLimit: UInt32, requestQueue: UInt32
  ) {
    self.local = local
    self.holders = holders
    self.acceptQueue = acceptQueue
    self.acceptQueueLimit = acceptQueueLimit
    self.requestQueue = requestQueue
  }
}
