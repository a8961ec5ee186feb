// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent
import ExporterMetrics
import TCPStateCore
import TCPStateKernel
import TCPStateLive

/// Reads the kernel's tables for what no event shows: stuck connections with their holders, the queues of listeners, and
/// which ephemeral ports are taken.
struct Surveyor {
  /// Whether a part of a reading is to be wider than the one before. A class, so that both parts may use it.
  private final class Widening {
    var isWanted = false
  }

  private let limits: ExporterLimits
  private let query: StuckQuery
  /// One bit for each of the kernel's numbers.
  private let mask: UInt32
  private var pacer: ReadingPacer
  private let containers = ContainerNames()
  /// When the last reading was, nanoseconds since the epoch, and the CPU nanoseconds that it took.
  private(set) var last: (time: UInt64, cost: UInt64)?

  init(_ limits: ExporterLimits, pacer: ReadingPacer) {
    self.limits = limits
    self.pacer = pacer
    let stuck = limits.wantsStuck ? limits.stuckStates : []
    // What hasn't been accepted can be in any of these.
    let open = TCPState.all.filter(\.isSynchronized).filter { $0 != .timeWait }
    query = StuckQuery(states: Set(stuck).union(open), olderThan: 0)
    mask = StuckSurvey.readingMask(StuckQuery(states: Set(stuck)))
  }

  private var wantsTables: Bool { limits.wantsStuck || limits.wantsListeners }

  /// When to read next, CLOCK_MONOTONIC; `nil` if nothing is wanted.
  func nextReading(_ stream: borrowing LiveStream) -> UInt64? {
    wantsTables && stream.source.canReadTables || limits.wantsPorts ? pacer.nextReading : nil
  }

  /// Reads, if it is time to.
  ///
  /// - Returns: lines for the log.
  mutating func readIfDue(_ stream: inout LiveStream, into metrics: inout ExporterMetrics) throws(KernelError)
    -> [String]
  {
    let now = KernelClock.monotonic()
    guard let next = nextReading(stream), next <= now else { return [] }
    let cpu = KernelClock.processCPU()
    if wantsTables, stream.source.canReadTables { try readTables(&stream, into: &metrics) }
    let lines = limits.wantsPorts ? try readPorts(&stream, into: &metrics) : []
    let cost = KernelClock.processCPU() - cpu
    pacer.read(at: now, cost: cost)
    last = (now &+ stream.tracker.wallOffset, cost)
    return lines
  }

  private mutating func readTables(_ stream: inout LiveStream, into metrics: inout ExporterMetrics) throws(KernelError)
  {
    var survey = StuckSurvey(query)
    survey.seesAllProcesses = Surroundings.current.place(.pid) == .initial
    let widening = Widening()
    let wantsListeners = limits.wantsListeners
    let stuck = limits.wantsStuck ? Set(limits.stuckStates) : []
    try stream.readSockets(states: mask, widened: { widening.isWanted }) { row, _ in
      metrics.transitions.receive(row)
    } look: { snapshot, _ in
      guard Self.wants(snapshot, stuck) else { return }
      if survey.ticksPerSecond == nil { survey.ticksPerSecond = KernelClock.ticksPerSecond(snapshot.pointee) }
      survey.add(snapshot)
      // What waits for accept() may be in any state.
      if wantsListeners, snapshot.pointee.accept_queue > 0 { widening.isWanted = true }
      if snapshot.pointee.event.kind == TCPSTATE_KIND_MPTCP, survey.wantsSubflows { widening.isWanted = true }
    }
    let listeners = survey.listeners
    let now = KernelClock.monotonic()
    let reading = survey.finish(makerOf: { stream.tracker.owner(of: $0) })
    metrics.take(
      reading.sockets, listeners: listeners, now: now,
      stayOf: { stream.tracker.stay(of: $0.connection, in: $0.state, until: now) },
      containerOf: { containers.name(of: $0) })
  }

  /// Whether a record is of a stuck connection, perhaps, or of a listener or one that waits in its queue. The others, most
  /// of all, cost nothing then.
  private static func wants(_ snapshot: UnsafePointer<tcpstate_snapshot>, _ stuck: Set<TCPState>) -> Bool {
    let event = snapshot.pointee.event
    let state = TCPState(number: event.state_new)
    if state == .listen || stuck.contains(state) || event.kind == TCPSTATE_KIND_MPTCP { return true }
    guard event.kind == TCPSTATE_KIND_SOCKET, state.isSynchronized else { return false }
    return snapshot.pointee.mptcp_socket != 0
      || Int32(event.flags) & (TCPSTATE_FLAG_HAS_SOCKET | TCPSTATE_FLAG_DEAD) == 0
  }

  private mutating func readPorts(
    _ stream: inout LiveStream, into metrics: inout ExporterMetrics
  ) throws(KernelError) -> [String] {
    var supplies: [UInt32: PortSupply] = [:]
    for (inode, path) in try stream.source.namespaces() {
      supplies[inode] = try NetworkNamespaces.portSupply(of: inode, path: path)
    }
    var use = PortUse(supplies: supplies)
    stream.forEachOpen { row in use.add(row) }
    return metrics.take(use.pairs(), now: KernelClock.monotonic())
  }
}
