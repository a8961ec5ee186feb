import CTCPStateEvent

/// Folds the kernel's records into transitions with durations.
///
/// Pure: "now" comes from the records, nothing is read or written elsewhere.
/// One thread owns it; applying an event allocates nothing unless a table grows.
///
/// All times that go in are CLOCK_MONOTONIC; `wallOffset` turns them into the
/// CLOCK_REALTIME of the rows.
public struct ConnectionTracker: ~Copyable {
  /// CLOCK_REALTIME − CLOCK_MONOTONIC in nanoseconds, for the rows' times.
  public var wallOffset: UInt64 = 0
  /// Timer ticks a second of this kernel (CONFIG_HZ); `nil` leaves what depends on it unknown.
  public var ticksPerSecond: UInt64? {
    didSet { wheel = ticksPerSecond.map { TimerWheel(ticksPerSecond: $0) } }
  }
  /// From when on every transition was seen: since the tracer was attached, or since the last loss.
  public var completeSince: UInt64 = 0
  /// Until when every transition was seen, before the first loss since the
  /// tables were last read; `nil` when there was none.
  public var lossBegan: UInt64?
  /// Whether minisocks can be followed; else TIME-WAIT is the last that is seen of a connection.
  public var followsMinisocks = true
  /// Network namespaces whose minisocks can be followed; `nil`: all.
  public var readableNamespaces: Set<UInt32>?
  /// Connections kept at the most, each in at most 200 bytes.
  ///
  /// Beyond them a new one takes the place of one in TIME-WAIT, whose end then isn't told; where
  /// there is none of these, its transitions have no durations, and a half-open request isn't told of.
  public var limit = Self.defaultLimit
  public static let defaultLimit = 1_000_000
  /// How often one wasn't kept, or no longer, because of `limit`.
  public internal(set) var crowdedOut: UInt64 = 0
  /// Whether sockets that existed before were read, so that an unknown one is a surprise.
  public var knowsExisting = false

  /// Whether minisocks and requests that no event has told of are taken in; not
  /// where connections are chosen by what a minisock doesn't have, its cgroup.
  public var adoptsMinisocks = true

  /// Transitions whose old state wasn't what the tracker knew.
  public internal(set) var unmatched: UInt64 = 0

  var table = ConnectionTable()
  var listeners = ListenerIndex()
  var open: InlineArray<13, UInt64> = .init(repeating: 0)
  /// The current reading of the kernel's tables; see `beginPass()`.
  var pass: UInt32 = 0
  /// Connections that ended while a reading was under way: it may still report them.
  var endedDuringPass: Set<UInt64> = []
  var passUnderWay = false
  /// What the tables have to be read for.
  public internal(set) var silent = Silent()
  var requestCount = 0
  var wheel: TimerWheel?
  /// Set when the event took over a TIME-WAIT's addresses: its key, and when.
  private var reused: (key: UInt64, time: UInt64)?
  /// For kernels that give no cookie.
  private var standInID: UInt64 = 0

  public init() {}

  /// Connections in `state` now.
  public func openCount(_ state: TCPState) -> UInt64 {
    state.isKnown ? open[Int(state.number)] : 0
  }

  /// Who holds or held a socket, by its cookie, as far as that was seen.
  public func owner(of cookie: UInt64) -> SocketHolder? {
    guard let connection = table.find(cookie), connection.pointee.ownerPID != 0 else { return nil }
    return SocketHolder(pid: connection.pointee.ownerPID, name: connection.pointee.ownerName, descriptor: nil)
  }

  /// The id of the connection whose socket a reading found, where the kernel has no cookies and it is made up.
  ///
  /// - Parameter key: the cookie, or the socket's address.
  public func id(of key: UInt64) -> UInt64 { table.find(key)?.pointee.id ?? key }

  /// All connections now tracked, listeners too.
  public var trackedCount: Int { table.count }

  /// Bytes that the tracked connections take.
  public var trackedBytes: Int { table.allocatedBytes }

  // MARK: - Events

  /// Applies one transition as the tracepoint told it.
  ///
  /// - Parameters:
  ///   - event: borrowed for the call.
  ///   - row: filled when the result is true.
  /// - Returns: whether there is a row. There is none for the kernel's own
  ///   steps that change nothing on the wire, such as FIN-WAIT-2's move into a minisock.
  public mutating func apply(_ event: UnsafePointer<tcpstate_event>, to row: inout Transition) -> Bool {
    if event.pointee.kind != TCPSTATE_KIND_TRANSITION {
      return event.pointee.kind == TCPSTATE_KIND_SYN_ACK
        ? applySynAck(event, to: &row) : applyResetSent(event, to: &row)
    }
    let old = TCPState(number: event.pointee.state_old)
    var new = TCPState(number: event.pointee.state_new)
    let key = Self.key(event)
    let known = table.find(key)
    if old == new { return false }  // close() in FIN-WAIT-2, and MPTCP

    let isChild = old == .listen && new == .synReceived
    // Before 6.15 this event doesn't know the child yet (inet_csk_clone_lock());
    // where the source couldn't complete it, the child begins with its next one.
    if isChild, event.pointee.peer_port == 0 { return false }
    let opens = old == .closed || isChild
    if opens, let known, known.pointee.flags.contains(.request) {
      // The half-open request, known from an iterator, has become a socket.
      known.pointee.flags.remove(.request)
      requestCount -= 1
      update(known, from: event)
      return false
    }

    var stay: Stay?
    var isUnknownChild = false
    let connection: UnsafeMutablePointer<Connection>
    if let known, !opens {
      if known.pointee.flags.contains(.request) {
        known.pointee.flags.remove(.request)
        requestCount -= 1
      }
      connection = known
      if known.pointee.state == old, known.pointee.entered <= event.pointee.timestamp_ns {
        stay = Stay(
          nanoseconds: event.pointee.timestamp_ns - known.pointee.entered,
          kind: known.pointee.flags.contains(.enteredExactly) ? .exact : .atLeast)
      } else {
        unmatched += 1
      }
    } else {
      if let known {
        // Its end was missed; or a reading of the tables was faster than this event.
        if !known.pointee.flags.contains(.older) { unmatched += 1 }
        forget(known)
      } else if old == .synReceived, new == .established {
        isUnknownChild = true
      } else if !opens {
        if knowsExisting, crowdedOut == 0 { unmatched += 1 }
        if completeSince > 0, event.pointee.timestamp_ns > completeSince {
          stay = Stay(nanoseconds: event.pointee.timestamp_ns - completeSince, kind: .atLeast)
        }
      }
      connection = insert(key, from: event, state: old)
      if isUnknownChild {
        connection.pointee.role = .server
      } else if !opens {
        connection.pointee.flags.insert(.older)
      }
    }

    learn(connection, from: event, old: old, new: new)
    if old == .synReceived { stay = synReceivedStay(event, connection, spacing: stay) }

    var reason: Reason?
    var resetReason: ResetReason?
    if new == .closed {
      switch Ending(event, old: old) {
      case .timeWait:
        new = .timeWait
        reason = .fin
      case .finWait2Minisock:
        becomeMinisock(connection)
        return false  // still FIN-WAIT-2, in another form
      case .closed(let why):
        reason = why
        resetReason = Self.resetReason(event)
      }
    }

    write(connection, event, to: &row)
    row.old = old
    row.new = new
    row.stay = stay
    row.reason = reason
    row.resetReason = resetReason

    if new == .closed {
      forget(connection)
    } else {
      enter(connection, new, at: event.pointee.timestamp_ns, exactly: true)
      if new == .timeWait {
        becomeMinisock(connection)
      } else {
        if new == .established, table.minisockCount > 0 { noteReuse(connection, event, stay) }
        if table.isUnkept(connection) { forget(connection) }
      }
    }
    return true
  }

  /// Asks for the memory that applying the event will need, well before it is applied.
  ///
  /// Mutating only so that it gets the tracker in place: the compiler copies all of it for one that isn't.
  @inline(__always)
  public mutating func prefetchIndex(for event: UnsafePointer<tcpstate_event>) {
    let record = UnsafeRawPointer(event)
    tcpstate_prefetch(record + 64)
    tcpstate_prefetch(record + 128)
    tcpstate_prefetch(record + 192)
    table.prefetchIndex(Self.key(event))
  }

  /// Likewise, some events later: this one looks into what `prefetchIndex` has asked for.
  @inline(__always)
  public mutating func prefetchConnection(for event: UnsafePointer<tcpstate_event>) {
    table.prefetchConnection(Self.key(event))
    let new = TCPState(number: event.pointee.state_new)
    guard new == .established || new == .closed, table.minisockCount > 0 else { return }
    table.prefetchMinisock(
      local: Endpoint(address: Self.address(event, offset: Self.localAddressOffset), port: event.pointee.local_port),
      peer: Endpoint(address: Self.address(event, offset: Self.peerAddressOffset), port: event.pointee.peer_port),
      netns: event.pointee.netns)
  }

  private mutating func becomeMinisock(_ connection: UnsafeMutablePointer<Connection>) {
    guard followsMinisocks, isReadable(connection.pointee.netns), !table.isUnkept(connection)
    else { return forget(connection) }
    releaseAddress(connection)
    table.setMinisock(connection, true)
    noteSilent(connection)
  }

  func isReadable(_ netns: UInt32) -> Bool { readableNamespaces?.contains(netns) ?? true }

  /// A handshake is complete: if its addresses were a TIME-WAIT's, that one is gone since its SYN.
  private mutating func noteReuse(
    _ connection: UnsafeMutablePointer<Connection>, _ event: UnsafePointer<tcpstate_event>, _ stay: Stay?
  ) {
    let minisock = table.findMinisock(
      local: connection.pointee.local, peer: connection.pointee.peer, netns: connection.pointee.netns)
    guard let minisock, minisock.pointee.state == .timeWait else { return }
    reused = (minisock.pointee.key, event.pointee.timestamp_ns &- (stay?.nanoseconds ?? 0))
  }

  /// Hands out what `apply` left in `reused`, once.
  public mutating func takeReused() -> (key: UInt64, time: UInt64)? {
    defer { reused = nil }
    return reused
  }

  /// What a socket is found by: its cookie, or its address where the kernel gives none.
  @inline(__always)
  public static func key(_ event: UnsafePointer<tcpstate_event>) -> UInt64 {
    EventRecord(event).key
  }

  // MARK: - What is kept of a connection

  mutating func insert(
    _ key: UInt64, from event: UnsafePointer<tcpstate_event>, state: TCPState
  ) -> UnsafeMutablePointer<Connection> {
    var id = key
    if event.pointee.cookie == 0 {
      // An address is used again, so number what stands behind it; the time
      // keeps the numbers of two runs apart.
      standInID += 1
      id = 1 << 63 | (event.pointee.timestamp_ns & 0x7fff_ffff) << 32 | standInID & 0xffff_ffff
    }
    let own = event.pointee.cookie == 0 && Self.isMinisock(event) ? id : key
    let connection = place(own, at: event.pointee.timestamp_ns)
    connection.pointee.id = id
    connection.pointee.state = state
    connection.pointee.pass = pass
    if state.isKnown { open[Int(state.number)] += 1 }
    return connection
  }

  /// Follows the socket of this event no longer: it turned out not to be wanted, and no more is told of it.
  public mutating func forget(_ event: UnsafePointer<tcpstate_event>) {
    if let connection = table.find(Self.key(event)) { forget(connection) }
  }

  /// Room for a new connection, in the table or else outside of it for the time of a call.
  private mutating func place(_ key: UInt64, at time: UInt64) -> UnsafeMutablePointer<Connection> {
    guard table.count >= limit else { return table.insert(key) }
    crowdedOut += 1
    if let leaving = table.nextTimeWait() {
      forget(leaving)
      return table.insert(key)
    }
    // What is unknown from now on may have been so since now, and no longer.
    completeSince = max(completeSince, time)
    return table.unkept(key)
  }

  mutating func forget(_ connection: UnsafeMutablePointer<Connection>) {
    let state = connection.pointee.state
    if state.isKnown { open[Int(state.number)] -= 1 }
    if connection.pointee.role == .listener { listeners.remove(connection.pointee.key) }
    if connection.pointee.flags.contains(.request) { requestCount -= 1 }
    if passUnderWay { endedDuringPass.insert(connection.pointee.key) }
    table.remove(connection.pointee.key)
  }

  mutating func enter(
    _ connection: UnsafeMutablePointer<Connection>, _ state: TCPState, at time: UInt64, exactly: Bool
  ) {
    let before = connection.pointee.state
    if before.isKnown { open[Int(before.number)] -= 1 }
    if state.isKnown { open[Int(state.number)] += 1 }
    if before == .listen, connection.pointee.role == .listener { listeners.remove(connection.pointee.key) }
    if state == .listen { listeners.insert(connection.pointee.key) }
    connection.pointee.state = state
    connection.pointee.entered = time
    if exactly {
      connection.pointee.flags.insert(.enteredExactly)
    } else {
      connection.pointee.flags.remove(.enteredExactly)
    }
  }

  /// What every record of a socket tells anew.
  @inline(__always)
  func update(_ connection: UnsafeMutablePointer<Connection>, from event: UnsafePointer<tcpstate_event>) {
    connection.pointee.local = Endpoint(
      address: Self.address(event, offset: Self.localAddressOffset), port: event.pointee.local_port)
    connection.pointee.peer = Endpoint(
      address: Self.address(event, offset: Self.peerAddressOffset), port: event.pointee.peer_port)
    connection.pointee.netns = event.pointee.netns
    if event.pointee.interface_index != 0 { connection.pointee.interface = event.pointee.interface_index }
    guard event.pointee.kind == TCPSTATE_KIND_TRANSITION || event.pointee.kind == TCPSTATE_KIND_SOCKET
    else { return }
    connection.pointee.userID = event.pointee.user_id
    connection.pointee.flags.insert(.userKnown)
    connection.pointee.cgroup = event.pointee.cgroup_id
    if event.pointee.owner_pid != 0 {
      connection.pointee.ownerPID = event.pointee.owner_pid
      connection.pointee.ownerName = Self.name(event, offset: Self.ownerNameOffset)
    }
  }

  /// What a transition tells of the connection as a whole.
  @inline(__always)
  private mutating func learn(
    _ connection: UnsafeMutablePointer<Connection>, from event: UnsafePointer<tcpstate_event>,
    old: TCPState, new: TCPState
  ) {
    update(connection, from: event)
    switch (old, new) {
    case (.closed, .synSent): connection.pointee.role = .client
    case (.listen, .synReceived): connection.pointee.role = .server
    case (.closed, .listen), (.listen, .closed): connection.pointee.role = .listener
    case (.established, .finWait1): connection.pointee.closer = .active
    case (.established, .closeWait): connection.pointee.closer = .passive
    case (.finWait1, .closing): connection.pointee.closer = .both
    default: break
    }
    if old == .listen || old == .synReceived, connection.pointee.ownerPID == 0, connection.pointee.role == .server,
      !connection.pointee.flags.contains(.older)
    {
      inheritOwner(connection)
    }
    guard old != .listen, new != .listen, new != .synSent else { return }
    count(connection, from: event, sequenced: old.isSynchronized || new == .established)
  }

  /// Counters and sequence numbers, once the handshake has set them.
  func count(
    _ connection: UnsafeMutablePointer<Connection>, from event: UnsafePointer<tcpstate_event>, sequenced: Bool
  ) {
    let counters = PayloadCounters(event)
    connection.pointee.bytesSent = counters.sent
    connection.pointee.bytesReceived = counters.received
    connection.pointee.flags.insert(.counted)
    connection.pointee.rttMicroseconds = event.pointee.smoothed_rtt_us8 >> 3
    connection.pointee.retransmits = event.pointee.retransmits
    guard sequenced else { return }
    connection.pointee.sendNext = event.pointee.send_next
    connection.pointee.receiveNext = event.pointee.receive_next
    guard !connection.pointee.flags.contains(.sequenced) else { return }
    if connection.pointee.role == .unknown { connection.pointee.role = counters.role }
    if let initial = counters.initialSequences(role: connection.pointee.role) {
      connection.pointee.initialSendSequence = initial.send
      connection.pointee.initialReceiveSequence = initial.receive
      connection.pointee.flags.insert(.sequenced)
    }
  }

  /// True time in SYN-RECEIVED of a listener's child.
  ///
  /// The kernel makes the child only when the handshake's last ACK arrives, so
  /// the events are 20 µs apart whatever the handshake took. Its first RTT
  /// sample runs from the SYN-ACK to that ACK (tcp_synack_rtt_meas(),
  /// net/ipv4/tcp_input.c); with the SYN-ACK retransmitted there is no sample,
  /// but newer kernels sum the timeouts (total_rto_time).
  private func synReceivedStay(
    _ event: UnsafePointer<tcpstate_event>, _ connection: UnsafeMutablePointer<Connection>, spacing: Stay?
  ) -> Stay? {
    guard connection.pointee.role == .server else { return spacing }
    let retransmits = event.pointee.retransmits
    connection.pointee.synAckRetransmits = UInt8(clamping: retransmits)
    if connection.pointee.flags.contains(.wasRequest), let spacing { return spacing }
    let measured = UInt64(event.pointee.smoothed_rtt_us8 >> 3) * 1000
    let seen = spacing?.nanoseconds ?? 0
    if retransmits == 0 {
      // No sample, or one in whole milliseconds, which is made from timestamps:
      // a SYN cookie was answered, nothing was kept of the SYN.
      guard measured % 1_000_000 != 0 else { return Stay(nanoseconds: seen, kind: .atLeast) }
      return Stay(nanoseconds: max(measured, seen), kind: .exact)
    }
    let flags = Int32(event.pointee.flags)
    if flags & TCPSTATE_FLAG_HAS_RTO_TIME != 0, event.pointee.total_rto_time_ms > 0 {
      return Stay(nanoseconds: max(UInt64(event.pointee.total_rto_time_ms) * 1_000_000, seen), kind: .exact)
    }
    // 1 s, doubled each time (RFC 6298, section 2), has passed at least.
    let timeouts = (UInt64(1) << UInt64(min(retransmits, 7))) - 1
    return Stay(nanoseconds: max(timeouts * 1_000_000_000, seen), kind: .atLeast)
  }
}
