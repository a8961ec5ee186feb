/// Which of the two ends of a connection, as the textbook draws them.
public enum Side: UInt8, Sendable, BitwiseCopyable, CaseIterable {
  /// The active opener. Where that isn't known, or both were: the end seen first.
  case client
  case server

  @inlinable
  public var other: Side { self == .client ? .server : .client }

  public var name: StaticString { self == .client ? "client" : "server" }
}

/// What is known of one end of a connection that has a socket on this host.
public struct LifecycleEnd: Sendable {
  /// One transition, without what doesn't change over a life.
  public struct Moment: Sendable, BitwiseCopyable {
    /// Nanoseconds since the epoch, CLOCK_REALTIME.
    public var time: UInt64
    public var old: TCPState
    public var new: TCPState
    /// How long it was in `old`.
    public var stay: Stay?
    public var reason: Reason?
    public var resetReason: ResetReason?
    public var source: Source
    public var actorPID: UInt32?
    public var actorName: ShortName
    public var bytesSent: UInt64?
    public var bytesReceived: UInt64?
    public var segmentsSent: UInt32?
    public var segmentsReceived: UInt32?
    public var sendUnacknowledged: UInt32?
    public var sendNext: UInt32?
    public var receiveNext: UInt32?

    init(_ row: Transition) {
      time = row.time
      old = row.old
      new = row.new
      stay = row.stay
      reason = row.reason
      resetReason = row.resetReason
      source = row.source
      actorPID = row.actorPID
      actorName = row.actorName
      bytesSent = row.bytesSent
      bytesReceived = row.bytesReceived
      segmentsSent = row.segmentsSent
      segmentsReceived = row.segmentsReceived
      sendUnacknowledged = row.sendUnacknowledged
      sendNext = row.sendNext
      receiveNext = row.receiveNext
    }
  }

  /// A life has at most 8; more come only from a damaged recording.
  static let maximumMoments = 16

  /// The latest that is known of each field.
  public private(set) var facts: Transition
  /// The row that left ESTABLISHED: the counters as data transfer ended.
  public private(set) var transfer: Transition?
  /// In the order of their times.
  public private(set) var moments: [Moment] = []
  /// The state it was found in, if it opened before the start.
  public private(set) var found: Found?
  /// Rows taken in, also those that `moments` has no room for.
  public private(set) var rowCount = 0

  /// What a socket from before the start was in.
  public struct Found: Sendable, BitwiseCopyable {
    public var state: TCPState
    /// Since then at the latest; nanoseconds since the epoch, CLOCK_REALTIME.
    public var since: UInt64
  }

  public init(_ row: Transition) {
    facts = row
    add(row)
  }

  /// Takes in the end's next transition, or the row by which it was found.
  public mutating func add(_ row: Transition) {
    var next = row
    next.inherit(from: facts)
    facts = next
    rowCount += 1
    guard row.old != row.new else {
      if moments.isEmpty, found == nil { found = Found(state: row.new, since: row.time) }
      return
    }
    if row.old == .established { transfer = next }
    if moments.count < Self.maximumMoments { moments.append(Moment(row)) }
  }

  /// The state it is in now, or ended in.
  public var state: TCPState { facts.new }

  public var isClosed: Bool { facts.new == .closed }

  /// When the first thing was seen of it.
  var firstTime: UInt64? { moments.first?.time ?? found?.since }

  /// When the last thing was seen of it.
  var lastTime: UInt64? { moments.last?.time ?? found?.since }

  /// When it entered `state`; `nil` if that wasn't seen.
  public func moment(entering state: TCPState) -> Moment? {
    moments.first { $0.new == state }
  }

  func moment(from old: TCPState, to new: TCPState) -> Moment? {
    moments.first { $0.old == old && $0.new == new }
  }

  /// Whether its life was seen from CLOSED or LISTEN on.
  public var beginningSeen: Bool {
    guard let first = moments.first else { return false }
    return first.old == .closed || first.old == .listen
  }

  /// When a listener's child answered the SYN. The kernel tells only at the
  /// end of the handshake; the stay leads back to the beginning.
  ///
  /// - Returns: the time, and whether it is only an upper bound.
  var synReceivedStart: (time: UInt64, isBound: Bool)? {
    guard let begin = moment(entering: .synReceived) else { return nil }
    guard let end = moments.first(where: { $0.old == .synReceived }), let stay = end.stay, begin.old == .listen
    else { return (begin.time, begin.old == .listen && begin.source == .event) }
    let start = end.time &- min(stay.nanoseconds, end.time)
    return (min(start, begin.time), stay.kind == .atLeast)
  }

  /// How long it was in the state it entered by `moments[index]`; `nil` while it lasts.
  public func stay(after index: Int) -> Stay? {
    index + 1 < moments.count ? moments[index + 1].stay : nil
  }
}

extension Transition {
  /// Fills what this row doesn't know from an earlier one of the same socket.
  fileprivate mutating func inherit(from earlier: Transition) {
    if role == .unknown { role = earlier.role }
    closer = closer ?? earlier.closer
    reason = reason ?? earlier.reason
    resetReason = resetReason ?? earlier.resetReason
    if ownerPID == nil {
      ownerPID = earlier.ownerPID
      ownerName = earlier.ownerName
    }
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
    sendWindowBytes = sendWindowBytes ?? earlier.sendWindowBytes
    receiveWindowBytes = receiveWindowBytes ?? earlier.receiveWindowBytes
    congestionWindowPackets = congestionWindowPackets ?? earlier.congestionWindowPackets
    slowStartThresholdPackets = slowStartThresholdPackets ?? earlier.slowStartThresholdPackets
    if congestionControl.isEmpty { congestionControl = earlier.congestionControl }
    rtoMicroseconds = rtoMicroseconds ?? earlier.rtoMicroseconds
    synAckRetransmits = synAckRetransmits ?? earlier.synAckRetransmits
    segmentsSent = segmentsSent ?? earlier.segmentsSent
    segmentsReceived = segmentsReceived ?? earlier.segmentsReceived
  }
}
