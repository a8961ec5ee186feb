// SPDX-License-Identifier: Apache-2.0

/// Which of the two ends of a connection, as the textbook draws them.
public enum Side: UInt8, Sendable, BitwiseCopyable, CaseIterable {
  /// The active opener. If that isn't known, or both ends were: the end seen first.
  case client
  case server

  @inlinable
  public var other: Side { self == .client ? .server : .client }

  public var name: StaticString { self == .client ? "client" : "server" }
}

/// What is known about one end of a connection, if its socket is on this host.
public struct LifecycleEnd: Sendable {
  /// One transition, without the fields that don't change during a life.
  public struct Moment: Sendable, BitwiseCopyable {
    /// Nanoseconds since the epoch, CLOCK_REALTIME.
    public var time: UInt64
    public var timeKind: TimeKind?
    public var timeError: UInt64?
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
    public var receiveShutdown: UInt32?
    public var unsentBytes: UInt32?

    init(_ row: Transition) {
      time = row.time
      timeKind = row.timeKind
      timeError = row.timeErrorNanoseconds
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
      receiveShutdown = row.receiveShutdown
      unsentBytes = row.unsentBytes
    }
  }

  /// A life has at most 8; only a damaged recording has more.
  static let maximumMoments = 16

  /// The latest known value of each field.
  public private(set) var facts: Transition
  /// The row that left ESTABLISHED, with the counters at the end of the data transfer.
  public private(set) var transfer: Transition?
  /// In the order in which they came.
  public private(set) var moments: [Moment] = []
  /// The state it was found in, if it opened before the tracer started.
  public private(set) var found: Found?
  /// Rows received, including those that `moments` has no room for.
  public private(set) var rowCount = 0

  /// The state of a socket that existed before the tracer.
  public struct Found: Sendable, BitwiseCopyable {
    public var state: TCPState
    /// It entered the state at this time or earlier; nanoseconds since the epoch, CLOCK_REALTIME.
    public var since: UInt64
  }

  public init(_ row: Transition) {
    facts = row
    add(row)
  }

  /// Adds the end's next transition, or the row that reports that it was found.
  public mutating func add(_ row: Transition) {
    var next = row
    next.fill(from: facts, .all)
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

  /// Why the connection ended here, by the row that ended it (`Move.endsConnection`); `nil` while it is open.
  public var endReason: Reason? {
    moments.first { Move($0.old, $0.new).endsConnection }.map { $0.reason ?? .unknown }
  }

  /// When it was first seen.
  var firstTime: UInt64? { moments.first?.time ?? found?.since }

  /// When it was last seen.
  var lastTime: UInt64? { moments.last?.time ?? found?.since }

  /// The transition into `state`; `nil` if it wasn't seen.
  public func moment(entering state: TCPState) -> Moment? {
    moments.first { $0.new == state }
  }

  func moment(from old: TCPState, to new: TCPState) -> Moment? {
    moments.first { $0.old == old && $0.new == new }
  }

  /// Whether its life was seen from the beginning, CLOSED or LISTEN.
  public var beginningSeen: Bool {
    guard let first = moments.first else { return false }
    return first.old == .closed || first.old == .listen
  }

  /// When a listener's child answered the SYN. The kernel reports the child only at the
  /// end of the handshake; its stay in SYN-RECEIVED leads back to the beginning.
  ///
  /// - Returns: the time, and whether it is only an upper bound.
  var synReceivedStart: (time: UInt64, isBound: Bool)? {
    guard let begin = moment(entering: .synReceived) else { return nil }
    // A request that was found half-open has its time already.
    guard let end = moments.first(where: { $0.old == .synReceived }), let stay = end.stay, begin.source == .event
    else { return (begin.time, begin.source == .event) }
    let start = end.time &- min(stay.nanoseconds, end.time)
    return (min(start, begin.time), stay.kind == .atLeast)
  }

  /// Whether its rows show what it did at `time`, so that a state that they lack wasn't entered.
  ///
  /// - Parameter state: entered at that time, as the other end suggests.
  func shows(_ state: TCPState, at time: UInt64) -> Bool {
    // Rows were lost where it leaves a state that it wasn't seen to enter.
    guard let first = moments.first, !moments.contains(where: { $0.old == state }) else { return false }
    return beginningSeen || first.time <= time
  }

  /// How long it was in the state that it entered with `moments[index]`; `nil` while it still is.
  public func stay(after index: Int) -> Stay? {
    index + 1 < moments.count ? moments[index + 1].stay : nil
  }
}
