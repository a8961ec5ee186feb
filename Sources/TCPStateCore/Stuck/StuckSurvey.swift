// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent

/// Folds the records of one reading of the kernel's tables into sockets with
/// their holders, their listeners and a verdict.
///
/// Pure. A socket appears once for each descriptor and once more in the tables
/// of its namespace; its cookie identifies it.
public struct StuckSurvey: ~Copyable {
  /// CONFIG_HZ; without it most ages are unknown.
  public var ticksPerSecond: UInt64?
  /// Whether the descriptors of all processes are visible, not only those of one PID namespace.
  public var seesAllProcesses = true
  /// Names the containers, pods and units of sockets; `nil` leaves them unknown.
  public var workloads: (any WorkloadNaming)?
  let query: StuckQuery
  private(set) var sockets: [Found] = []
  private var indices: [UInt64: Int] = [:]
  /// Open sockets in other states, by key, which occupy ports like those in TIME-WAIT.
  private(set) var bystanders: [UInt64: (netns: UInt32, local: Endpoint, peer: Endpoint)] = [:]
  /// Ports that bind() has taken, by network namespace: connect() passes over them.
  private(set) var boundPorts: [UInt32: Set<UInt16>] = [:]
  private var mptcp = MPTCPSockets()

  struct Found {
    /// Its cookie or its address.
    let key: UInt64
    var socket: StuckSocket
    var flags: Int32
    var kind: Int32
    /// TCPSTATE_DETAIL_*.
    var details: Int32
    var listener: Queues?
    /// The address of the MPTCP socket that this is, or that is above it; 0 if there is none.
    var mptcp: UInt64 = 0
  }

  /// What a listener's record says about its queues.
  struct Queues {
    var defersAccept: Bool
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
    if Int32(snapshot.pointee.details) & TCPSTATE_DETAIL_BOUND != 0 {
      boundPorts[event.pointee.netns, default: []].insert(event.pointee.local_port)
    }
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
      sockets[index].details = Int32(snapshot.pointee.details)
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
      pid: record.event.pointee.owner_pid, name: record.ownerName, descriptor: snapshot.pointee.fd,
      kind: .holder)
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
    let age = SnapshotAge.bounds(snapshot, ticksPerSecond: ticksPerSecond)
    let isExact = SnapshotAge.isExact(snapshot, ticksPerSecond: ticksPerSecond)
    if age.least > 0 { socket.age = Stay(nanoseconds: age.least, kind: isExact ? .exact : .atLeast) }
    socket.atMost = age.most
    // A request's timeouts go on, without SYN-ACKs, after the last ACK has come.
    socket.timeouts = kind == TCPSTATE_KIND_REQUEST ? event.pointee.retransmits : UInt32(event.pointee.timeouts)
    if let ticks = ticksPerSecond, snapshot.pointee.timer_expires != 0, kind != TCPSTATE_KIND_TIMEWAIT {
      let rest = Int64(bitPattern: snapshot.pointee.timer_expires &- snapshot.pointee.jiffies)
      socket.nextTimeout = UInt64(max(0, min(rest, 1 << 32))) * 1_000_000_000 / ticks
    }
    let details = Int32(snapshot.pointee.details)
    if kind == TCPSTATE_KIND_TIMEWAIT { socket.hasTimestamps = details & TCPSTATE_DETAIL_TIMESTAMPS != 0 }
    if kind == TCPSTATE_KIND_SOCKET || kind == TCPSTATE_KIND_MPTCP {
      socket.cgroup = event.pointee.cgroup_id == 0 ? nil : event.pointee.cgroup_id
      socket.userID = event.pointee.user_id
    }
    guard kind == TCPSTATE_KIND_SOCKET else {
      let address = kind == TCPSTATE_KIND_MPTCP ? event.pointee.socket_address : 0
      if address != 0 { socket.timeouts = nil }
      return Found(key: key, socket: socket, flags: flags, kind: kind, details: details, mptcp: address)
    }
    let parent = snapshot.pointee.mptcp_socket
    guard state != .listen else {
      let queues = Queues(
        defersAccept: snapshot.pointee.defer_accept > 0, acceptQueue: snapshot.pointee.accept_queue,
        acceptQueueLimit: snapshot.pointee.accept_queue_limit,
        requestQueue: snapshot.pointee.request_queue)
      return Found(
        key: key, socket: socket, flags: flags, kind: kind, details: details, listener: queues, mptcp: parent)
    }
    fillBytes(&socket, event)
    socket.fillActivity(snapshot, ticksPerSecond: ticksPerSecond)
    socket.cause = StuckCause(snapshot, socket)
    return Found(key: key, socket: socket, flags: flags, kind: kind, details: details, mptcp: parent)
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
  ///   - supplies: the ports that connect() may choose from, by network namespace.
  ///   - makerOf: returns the process that held a socket, by its cookie or address; `nil` if it wasn't traced.
  public consuming func finish(
    supplies: [UInt32: PortSupply] = [:], makerOf: (UInt64) -> SocketHolder? = { _ in nil }
  ) -> StuckReading {
    var reading = StuckReading()
    var timeWait: [StuckSocket] = []
    for index in sockets.indices where sockets[index].mptcp != 0 { Self.place(&sockets[index], mptcp) }
    let listeners = listenersByPort()
    for found in sockets where query.states.contains(found.socket.state) {
      var socket = found.socket
      if socket.holders.count > 1 { socket.holders.sort() }
      socket.verdict = verdict(found)
      switch socket.verdict {
      case .unaccepted:
        socket.listeners = Self.listeners(of: socket, among: listeners)
        socket.cause = .notAccepted
      case .halfOpen:
        socket.listeners = Self.listeners(of: socket, among: listeners)
        socket.cause = Self.cause(ofRequest: found, socket.listeners)
      case .orphan:
        socket.maker = makerOf(found.key)
        if found.kind == TCPSTATE_KIND_TIMEWAIT, socket.state == .finWait2 { socket.cause = .peerNotClosed }
      case .closing:
        socket.maker = makerOf(found.key)
        socket.cause = .inSystemCall
      case .unseen: socket.maker = makerOf(found.key)
      case .held, .shared, .unknown: break
      }
      if let workloads {
        let process = socket.responsible.first ?? socket.maker
        socket.workload = workloads.workload(
          cgroup: socket.cgroup, pid: process?.pid, name: process?.name ?? ShortName())
      }
      // However old: a port is in use from the beginning.
      if socket.state == .timeWait, query.wants(socket) { timeWait.append(socket) }
      reading.add(socket, query)
    }
    reading.sort()
    if query.states.contains(.timeWait) { reading.timeWait = timeWaitGroups(timeWait, supplies) }
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

  private func verdict(_ found: Found) -> Verdict {
    if found.kind == TCPSTATE_KIND_TIMEWAIT { return .orphan }
    if found.kind == TCPSTATE_KIND_REQUEST { return .halfOpen }
    if let first = found.socket.holders.first {
      return found.socket.holders.contains { $0.pid != first.pid } ? .shared : .held
    }
    if found.flags & TCPSTATE_FLAG_DEAD != 0 { return .orphan }
    if found.flags & TCPSTATE_FLAG_HAS_SOCKET == 0 { return .unaccepted }
    if found.details & TCPSTATE_DETAIL_RELEASED != 0 { return .closing }
    // A process that isn't visible may sleep in a call on it, too, and have a descriptor.
    return seesAllProcesses && found.details & TCPSTATE_DETAIL_AWAITED != 0 ? .closing : .unseen
  }

  /// Whether the last ACK of the handshake has come, and what the request waits for then.
  private static func cause(ofRequest found: Found, _ listeners: [StuckListener]) -> StuckCause {
    guard found.details & TCPSTATE_DETAIL_ACKED != 0 else { return .handshake }
    return listeners.contains { $0.defersAccept } ? .awaitsData : .queueFull
  }
}

// MARK: - Listeners

extension StuckSurvey {
  /// The listeners found so far.
  public var listeners: [StuckListener] { listenersByPort().values.flatMap(\.self) }

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
      var listener = StuckListener(
        local: socket.local, holders: socket.holders.sorted(),
        acceptQueue: queues.acceptQueue, acceptQueueLimit: queues.acceptQueueLimit,
        requestQueue: queues.requestQueue)
      listener.defersAccept = queues.defersAccept
      result[key, default: []].append(listener)
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
