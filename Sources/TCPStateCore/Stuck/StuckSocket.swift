/// A socket as one reading of the kernel's tables found it, with all who hold it.
public struct StuckSocket: Sendable {
  /// The kernel's socket cookie, as `Transition.connection`.
  public var connection: UInt64
  public var state: TCPState
  /// How long it has been in this state: `exact` for TIME-WAIT and half-open
  /// requests, else a lower bound; `nil` when the reading says nothing.
  public var age: Stay?
  public var verdict = Verdict.held
  /// Every descriptor that refers to it, by process and number.
  public var holders: [SocketHolder] = []
  /// Who had it while it was traced, where the kernel itself no longer knows: of orphans and minisocks.
  public var maker: SocketHolder?
  /// For `unaccepted` and `halfOpen`: in whose queue it is. Several when
  /// SO_REUSEPORT listeners share the port and the kernel doesn't tell which.
  public var listeners: [StuckListener] = []

  public var local = Endpoint.none
  public var peer = Endpoint.none
  /// Inode of the network namespace.
  public var netns: UInt32?
  /// cgroup v2 id; `nil` for minisocks.
  public var cgroup: UInt64?
  public var userID: UInt32?

  /// Payload received that nobody has read; `nil` for minisocks, as the next two.
  public var unreadBytes: UInt64?
  /// Payload written that hasn't been sent yet.
  public var unsentBytes: UInt64?
  /// Payload sent that the peer hasn't acknowledged.
  public var unacknowledgedBytes: UInt64?
  /// Timeouts in a row that nothing answered; `nil` when that can't be told.
  public var timeouts: UInt32?
  /// Nanoseconds until the next one; `nil` when no timer runs.
  public var nextTimeout: UInt64?

  public init(connection: UInt64, state: TCPState) {
    self.connection = connection
    self.state = state
  }

  /// The holding processes, each once, by its first descriptor.
  public var processes: [SocketHolder] {
    guard holders.count > 1 else { return holders }
    var seen: Set<UInt32> = []
    return holders.filter { seen.insert($0.pid).inserted }
  }

  /// Whose it is: the first holder, else who had it when it was traced.
  public var owner: SocketHolder? { holders.first ?? maker }

  /// Who must act on this host: its holders, else its listeners' holders.
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
  /// Connections that wait for accept().
  public var acceptQueue: UInt32
  /// The backlog: the kernel takes one more than this before it is full.
  public var acceptQueueLimit: UInt32
  /// Half-open requests.
  public var requestQueue: UInt32

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
