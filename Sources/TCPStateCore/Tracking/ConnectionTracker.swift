// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent

/// Folds the kernel's records into transitions with durations.
///
/// Pure: "now" comes from the records, and nothing else is read or written.
/// One thread owns it. Applying an event allocates nothing unless a table grows.
///
/// All times passed in are CLOCK_MONOTONIC nanoseconds; `wallOffset` turns them into the
/// CLOCK_REALTIME of the rows.
public struct ConnectionTracker: ~Copyable {
  /// CLOCK_REALTIME − CLOCK_MONOTONIC in nanoseconds, for the rows' times.
  public var wallOffset: UInt64 = 0
  /// This kernel's timer ticks per second (CONFIG_HZ); `nil` leaves what depends on it unknown.
  public var ticksPerSecond: UInt64? {
    didSet { wheel = ticksPerSecond.map { TimerWheel(ticksPerSecond: $0) } }
  }
  /// The time since which every transition was seen: when the tracer was attached, or the last loss. 0 if unknown.
  public var completeSince: UInt64 = 0
  /// The time until which every transition was seen, before the first loss since the
  /// tables were last read; `nil` if nothing was lost since.
  public var lossBegan: UInt64?
  /// Whether minisocks can be followed. If not, a connection's last row is the one to TIME-WAIT.
  public var followsMinisocks = true
  /// Network namespaces whose minisocks can be followed; `nil` means all.
  public var readableNamespaces: Set<UInt32>?
  /// The maximum number of connections kept, each in at most 200 bytes.
  ///
  /// Beyond it, a new connection replaces one in TIME-WAIT, whose end is then not reported. If there is
  /// none in TIME-WAIT, the new one's transitions have no durations, and half-open requests are not reported.
  public var limit = Self.defaultLimit
  public static let defaultLimit = 1_000_000
  /// How many times a connection was dropped or not kept because of `limit`.
  public internal(set) var crowdedOut: UInt64 = 0
  /// Whether existing sockets have been read, so that an unknown one counts as unmatched.
  public var knowsExisting = false

  /// The local ports to which the events are filtered; `nil` means all.
  public var localPorts: PortSet?
  /// Whether `localPorts` may be the peer's ports instead.
  public var portsMayBePeers = false

  /// Whether to track minisocks and requests that no event has reported. False if
  /// connections are selected by cgroup, which a minisock doesn't have.
  public var adoptsMinisocks = true

  /// Names the containers, pods and units of rows; `nil` leaves them unknown.
  public var workloads: (any WorkloadNaming)?

  /// Whether rows have the socket's windows, timers, queues, segments and congestion control, which only the record
  /// contains. No default column shows them, so most runs save the time.
  public var fillsReadings = true

  /// Transitions whose old state wasn't the tracked one.
  public internal(set) var unmatched: UInt64 = 0

  var table = ConnectionTable()
  var listeners = ListenerIndex()
  var open: InlineArray<13, UInt64> = .init(repeating: 0)
  /// The number of the current reading of the kernel's tables; see `beginPass()`.
  var pass: UInt32 = 0
  /// Keys of connections that ended during a reading, which may still report them.
  var endedDuringPass: Set<UInt64> = []
  var passUnderWay = false
  /// The MPTCP sockets that the current reading has found, by their address, and a process that holds each.
  var mptcpHolders: [UInt64: (pid: UInt32, name: ShortName)] = [:]
  /// What the tables need to be read for.
  public internal(set) var silent = Silent()
  var requestCount = 0
  /// Until when the counters of recounted connections count as current, CLOCK_MONOTONIC.
  var countersEnd: UInt64 = 0
  var owners = OwnerSearch()
  var wheel: TimerWheel?
  /// Set if the event took over a TIME-WAIT's addresses: that connection's key, and when.
  var reused: (key: UInt64, time: UInt64, isExact: Bool)?
  /// The last number used for an id, on kernels without cookies.
  private var standInID: UInt64 = 0

  public init() {}

  /// How many connections are in `state` now.
  public func openCount(_ state: TCPState) -> UInt64 {
    state.isKnown ? open[Int(state.number)] : 0
  }

  /// The process that holds or held a socket, by its cookie; `nil` if it was never seen.
  public func owner(of cookie: UInt64) -> SocketHolder? {
    guard let connection = table.find(cookie), connection.pointee.ownerPID != 0,
      let pid = Self.visible(connection.pointee.ownerPID)
    else { return nil }
    return SocketHolder(
      pid: pid, name: connection.pointee.ownerName, descriptor: nil, kind: connection.pointee.ownerKind)
  }

  /// The connection id of a socket that a reading found. It differs from the key on kernels without cookies.
  ///
  /// - Parameter key: the cookie, or the socket's address.
  public func id(of key: UInt64) -> UInt64 { table.find(key)?.pointee.id ?? key }

  /// How long a socket that a reading found has been in its state, at `now`; `nil` if it isn't tracked in that state.
  ///
  /// - Parameter key: the cookie, or the socket's address.
  public func stay(of key: UInt64, in state: TCPState, until now: UInt64) -> Stay? {
    guard let connection = table.find(key), connection.pointee.state == state else { return nil }
    return stay(of: connection, until: now)
  }

  /// All connections tracked now, including listeners.
  public var trackedCount: Int { table.count }

  /// Of these, those that have a full socket: neither minisocks nor half-open requests.
  public var fullSocketCount: Int { table.count - table.minisockCount - requestCount }

  /// The memory of the tracked connections in bytes.
  public var trackedBytes: Int { table.allocatedBytes }

  // MARK: - Prefetching

  /// Prefetches the memory that applying the event needs; call it well before the event is applied.
  ///
  /// Mutating only to get the tracker in place: for a nonmutating method the compiler copies all of it.
  @inline(__always)
  public mutating func prefetchIndex(for event: UnsafePointer<tcpstate_event>) {
    let record = UnsafeRawPointer(event)
    tcpstate_prefetch(record + 64)
    tcpstate_prefetch(record + 128)
    tcpstate_prefetch(record + 192)
    table.prefetchIndex(Self.key(event))
  }

  /// The second part, some events later: it looks into the memory that `prefetchIndex` has fetched.
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

  func isReadable(_ netns: UInt32) -> Bool { readableNamespaces?.contains(netns) ?? true }

  /// Returns the TIME-WAIT whose addresses the last event took over, once: its key, when that was, and whether then or
  /// earlier.
  public mutating func takeReused() -> (key: UInt64, time: UInt64, isExact: Bool)? {
    defer { reused = nil }
    return reused
  }

  /// The key that identifies a socket: its cookie, or its address where the kernel gives none.
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
      // Addresses are reused, so each of their sockets gets a number. The time
      // keeps the numbers of different runs distinct.
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

  /// Stops tracking this event's socket, which turned out to be unwanted; nothing more is reported about it.
  public mutating func forget(_ event: UnsafePointer<tcpstate_event>) {
    if let connection = table.find(Self.key(event)) { forget(connection) }
  }

  /// Room for a new connection: in the table, or outside it for the duration of one call.
  private mutating func place(_ key: UInt64, at time: UInt64) -> UnsafeMutablePointer<Connection> {
    guard table.count >= limit else { return table.insert(key) }
    crowdedOut += 1
    if let leaving = table.nextTimeWait() {
      forget(leaving)
      return table.insert(key)
    }
    // Connections unknown from now on may have entered their states as late as now.
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

  /// Takes over what every record of a socket repeats.
  ///
  /// Static, as `count` and `takeOwner`: the compiler copies the whole tracker for each call of a method that isn't inlined.
  @inline(__always)
  static func update(_ connection: UnsafeMutablePointer<Connection>, from event: UnsafePointer<tcpstate_event>) {
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
    if event.pointee.owner_pid != 0 { Self.takeOwner(connection, from: event) }
  }

  /// Takes over counters, and sequence numbers once the handshake has set them.
  static func count(
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
}
