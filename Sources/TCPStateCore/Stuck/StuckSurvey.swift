import CTCPStateEvent

/// Folds the records of one reading of the kernel's tables into sockets with
/// their holders, their listeners and a verdict.
///
/// Pure. A socket appears once for each descriptor and once more in the tables
/// of its namespace; its cookie identifies it.
public struct StuckSurvey: ~Copyable {
  /// CONFIG_HZ; without it most ages are unknown.
  public var ticksPerSecond: UInt64?
  private let query: StuckQuery
  private var sockets: [Found] = []
  private var indices: [UInt64: Int] = [:]
  /// Open sockets in other states, by key, which occupy ports like those in TIME-WAIT.
  private var mptcp = MPTCPSockets()
  private var bystanders: [UInt64: (netns: UInt32, local: Endpoint, peer: Endpoint)] = [:]

  private struct Found {
    /// Its cookie or its address.
    let key: UInt64
    var socket: StuckSocket
    var flags: Int32
    var kind: Int32
    var listener: Queues?
    /// The address of the MPTCP socket that this is, or that is above it; 0 if there is none.
    var mptcp: UInt64 = 0
  }

  /// What a listener's record says about its queues.
  private struct Queues {
    var acceptQueue: UInt32
    var acceptQueueLimit: UInt32
    var requestQueue: UInt32
  }

  public init(_ query: StuckQuery) {
    self.query = query
  }

  /// The states to read, one bit per kernel number: the wanted ones, LISTEN, and half-open requests if wanted.
  public static func readingMask(_ query: StuckQuery) -> UInt32 {
    guard !query.states.contains(.timeWait) else { return .max }
    var mask: UInt32 = 1 << UInt32(TCPState.listen.number)
    for state in query.states where state.number < 32 { mask |= 1 << UInt32(state.number) }
    if query.states.contains(.synReceived) { mask |= 1 << 12 }  // TCP_NEW_SYN_RECV
    return mask
  }

  /// Adds one record, borrowed for the call.
  ///
  /// - Parameter idOf: returns the id of a connection from its cookie or its socket's address.
  public mutating func add(
    _ snapshot: UnsafePointer<tcpstate_snapshot>, idOf: (UInt64) -> UInt64 = { $0 }
  ) {
    // `event` is the first member, so this is its address.
    let event = UnsafeRawPointer(snapshot).assumingMemoryBound(to: tcpstate_event.self)
    let state = TCPState(number: event.pointee.state_new)
    let key = ConnectionTracker.key(event)
    if event.pointee.kind == TCPSTATE_KIND_MPTCP {
      mptcp.add(event, connection: idOf(key), Self.holder(snapshot))
      guard state != .listen, query.wants(idOf(key), state) else { return }
    } else if snapshot.pointee.mptcp_socket != 0 {
      mptcp.add(subflow: key, of: snapshot.pointee.mptcp_socket)
    }
    guard state == .listen || query.wants(idOf(key), state) else {
      if state != .closed { noteBystander(event) }
      return
    }
    let index: Int
    if let known = indices[key] {
      index = known
      sockets[index].flags = Int32(event.pointee.flags)
    } else {
      index = sockets.count
      indices[key] = index
      sockets.append(describe(snapshot, event, StuckSocket(connection: idOf(key), state: state)))
    }
    guard snapshot.pointee.fd != TCPSTATE_NO_FD else { return }
    let holder = Self.holder(snapshot)
    if !sockets[index].socket.holders.contains(holder) { sockets[index].socket.holders.append(holder) }
  }

  private static func holder(_ snapshot: UnsafePointer<tcpstate_snapshot>) -> SocketHolder {
    let record = EventRecord(snapshot)
    return SocketHolder(
      pid: record.event.pointee.owner_pid, name: record.ownerName, descriptor: snapshot.pointee.fd)
  }

  /// Whether an MPTCP connection was found, so that the tables are to be read for the TCP connections below it, whatever
  /// their states.
  public var wantsSubflows: Bool { sockets.contains { $0.kind == TCPSTATE_KIND_MPTCP } }

  private mutating func noteBystander(_ event: UnsafePointer<tcpstate_event>) {
    bystanders[ConnectionTracker.key(event)] = (
      event.pointee.netns,
      Endpoint(
        address: ConnectionTracker.address(event, offset: ConnectionTracker.localAddressOffset),
        port: event.pointee.local_port),
      Endpoint(
        address: ConnectionTracker.address(event, offset: ConnectionTracker.peerAddressOffset),
        port: event.pointee.peer_port)
    )
  }

  private func describe(
    _ snapshot: UnsafePointer<tcpstate_snapshot>, _ event: UnsafePointer<tcpstate_event>, _ named: StuckSocket
  ) -> Found {
    let key = ConnectionTracker.key(event)
    var socket = named
    let state = socket.state
    let kind = Int32(event.pointee.kind)
    let flags = Int32(event.pointee.flags)
    socket.local = Endpoint(
      address: ConnectionTracker.address(event, offset: ConnectionTracker.localAddressOffset),
      port: event.pointee.local_port)
    socket.peer = Endpoint(
      address: ConnectionTracker.address(event, offset: ConnectionTracker.peerAddressOffset),
      port: event.pointee.peer_port)
    socket.netns = event.pointee.netns
    let age = SnapshotAge.least(snapshot, ticksPerSecond: ticksPerSecond)
    if age > 0 {
      let isExact = kind == TCPSTATE_KIND_REQUEST || state == .timeWait
      socket.age = Stay(nanoseconds: age, kind: isExact ? .exact : .atLeast)
    }
    socket.timeouts =
      kind == TCPSTATE_KIND_REQUEST ? snapshot.pointee.syn_ack_timeouts : UInt32(event.pointee.timeouts)
    if let ticks = ticksPerSecond, snapshot.pointee.timer_expires != 0, kind != TCPSTATE_KIND_TIMEWAIT {
      let rest = Int64(bitPattern: snapshot.pointee.timer_expires &- snapshot.pointee.jiffies)
      socket.nextTimeout = UInt64(max(0, min(rest, 1 << 32))) * 1_000_000_000 / ticks
    }
    if kind == TCPSTATE_KIND_SOCKET || kind == TCPSTATE_KIND_MPTCP {
      socket.cgroup = event.pointee.cgroup_id == 0 ? nil : event.pointee.cgroup_id
      socket.userID = event.pointee.user_id
    }
    guard kind == TCPSTATE_KIND_SOCKET else {
      let address = kind == TCPSTATE_KIND_MPTCP ? event.pointee.socket_address : 0
      if address != 0 { socket.timeouts = nil }
      return Found(key: key, socket: socket, flags: flags, kind: kind, mptcp: address)
    }
    let parent = snapshot.pointee.mptcp_socket
    guard state != .listen else {
      let queues = Queues(
        acceptQueue: snapshot.pointee.accept_queue, acceptQueueLimit: snapshot.pointee.accept_queue_limit,
        requestQueue: snapshot.pointee.request_queue)
      return Found(key: key, socket: socket, flags: flags, kind: kind, listener: queues, mptcp: parent)
    }
    fillBytes(&socket, event)
    return Found(key: key, socket: socket, flags: flags, kind: kind, mptcp: parent)
  }

  private func fillBytes(_ socket: inout StuckSocket, _ event: UnsafePointer<tcpstate_event>) {
    let counters = PayloadCounters(event)
    socket.unreadBytes = UInt64(counters.unread)
    socket.unacknowledgedBytes = UInt64(counters.unacknowledged)
    socket.unsentBytes = UInt64(counters.unsent)
    guard socket.state == .synSent else { return }
    // Before the handshake the sequence numbers count a SYN, and nothing was received.
    (socket.unreadBytes, socket.unacknowledgedBytes) = (0, 0)
  }

  /// Ends the reading.
  ///
  /// - Parameters:
  ///   - portRanges: ip_local_port_range of each network namespace.
  ///   - makerOf: returns the process that held a socket, by its cookie or address; `nil` if it wasn't traced.
  public consuming func finish(
    portRanges: [UInt32: ClosedRange<UInt16>] = [:], makerOf: (UInt64) -> SocketHolder? = { _ in nil }
  ) -> StuckReading {
    var reading = StuckReading()
    for index in sockets.indices where sockets[index].mptcp != 0 { Self.place(&sockets[index], mptcp) }
    let listeners = listenersByPort()
    for found in sockets where query.states.contains(found.socket.state) {
      var socket = found.socket
      if socket.holders.count > 1 { socket.holders.sort() }
      socket.verdict = Self.verdict(found.kind, found.flags, socket)
      if socket.verdict == .unaccepted || socket.verdict == .halfOpen {
        socket.listeners = Self.listeners(of: socket, among: listeners)
      }
      if socket.verdict == .orphan { socket.maker = makerOf(found.key) }
      reading.add(socket, query)
    }
    reading.sort()
    reading.timeWait = timeWaitGroups(reading.sockets, portRanges)
    return reading
  }

  /// Gives a TCP connection below an MPTCP socket that socket's holders.
  private static func place(_ found: inout Found, _ mptcp: MPTCPSockets) {
    guard found.kind != TCPSTATE_KIND_MPTCP else {
      let count = mptcp.subflowCount(of: found.mptcp)
      found.socket.mptcp = .connection(subflows: count > 0 ? count : nil)
      return
    }
    found.socket.mptcp = .subflow(of: mptcp.connection(found.mptcp))
    for holder in mptcp.holders(of: found.mptcp) where !found.socket.holders.contains(holder) {
      found.socket.holders.append(holder)
    }
  }

  private static func verdict(_ kind: Int32, _ flags: Int32, _ socket: StuckSocket) -> Verdict {
    if kind == TCPSTATE_KIND_TIMEWAIT { return .orphan }
    if kind == TCPSTATE_KIND_REQUEST { return .halfOpen }
    if let first = socket.holders.first {
      return socket.holders.contains { $0.pid != first.pid } ? .shared : .held
    }
    if flags & TCPSTATE_FLAG_DEAD != 0 { return .orphan }
    return flags & TCPSTATE_FLAG_HAS_SOCKET == 0 ? .unaccepted : .unseen
  }
}

// MARK: - Listeners

extension StuckSurvey {
  private struct ListenerKey: Hashable {
    let netns: UInt32?
    let port: UInt16
  }

  private func listenersByPort() -> [ListenerKey: [StuckListener]] {
    var result: [ListenerKey: [StuckListener]] = [:]
    for found in sockets {
      guard let queues = found.listener else { continue }
      let socket = found.socket
      let key = ListenerKey(netns: socket.netns, port: socket.local.port)
      result[key, default: []].append(
        StuckListener(
          local: socket.local, holders: socket.holders.sorted(),
          acceptQueue: queues.acceptQueue, acceptQueueLimit: queues.acceptQueueLimit,
          requestQueue: queues.requestQueue))
    }
    return result
  }

  /// A listener bound to exactly that address takes precedence over one for any address. Of
  /// several (SO_REUSEPORT), those with an empty queue can't be the one.
  private static func listeners(
    of socket: StuckSocket, among all: [ListenerKey: [StuckListener]]
  ) -> [StuckListener] {
    let candidates = all[ListenerKey(netns: socket.netns, port: socket.local.port)] ?? []
    let bound = candidates.filter { $0.local.address == socket.local.address }
    let near = bound.isEmpty ? candidates.filter { $0.local.address.isUnspecified } : bound
    let queued = near.filter { socket.verdict == .halfOpen ? $0.requestQueue > 0 : $0.acceptQueue > 0 }
    return queued.isEmpty ? near : queued
  }
}

// MARK: - TIME-WAIT

extension StuckSurvey {
  /// Takes a local port in the ephemeral range as chosen by connect(), and any other as a listener's.
  private func timeWaitGroups(
    _ sockets: [StuckSocket], _ ranges: [UInt32: ClosedRange<UInt16>]
  ) -> [TimeWaitGroup] {
    var grouping = TimeWaitGrouping()
    for socket in sockets where socket.state == .timeWait {
      let range = socket.netns.flatMap { ranges[$0] }
      grouping.add(
        socket, connected: range?.contains(socket.local.port) ?? false, ports: range.map { UInt64($0.count) })
    }
    for (netns, local, peer) in bystanders.values {
      grouping.addOther(
        netns: netns, local: local, peer: peer, connected: ranges[netns]?.contains(local.port) ?? false)
    }
    return grouping.groups
  }
}
