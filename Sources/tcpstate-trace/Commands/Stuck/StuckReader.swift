// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent
import TCPStateCore
import TCPStateKernel
import TCPStateLive

/// Whether the tables are to be read for all states. A class, so that both parts of a reading may use it.
private final class Widening {
  var isWanted = false
}

/// Reads the kernel's tables for `stuck`: nothing is attached.
struct StuckReader: ~Copyable {
  private let source: KernelSource
  private let query: StuckQuery
  private let workloads = WorkloadResolver()
  /// When the last reading began, nanoseconds since the epoch.
  private(set) var time: UInt64 = 0

  init(query: StuckQuery, filters: FilterOptions, verbose: Bool) throws {
    var configuration = KernelSource.Configuration()
    configuration.tablesOnly = true
    configuration.verbose = verbose
    configuration.filter = try Self.kernelFilter(query, filters)
    source = try KernelSource(configuration)
    self.query = query
  }

  /// A listener must pass where its child does: it has no peer, and often any
  /// local address, so only what both share is left to the kernel.
  static func kernelFilter(_ query: StuckQuery, _ options: FilterOptions) throws -> KernelFilter {
    var filter = KernelFilter()
    filter.netns = query.filter.netns
    filter.netnsPath = options.netnsPath
    // Who else occupies ephemeral ports counts for TIME-WAIT.
    filter.localPorts = query.states.contains(.timeWait) ? nil : query.filter.localPorts
    filter.cgroup = try options.cgroup.map { try FilterOptions.cgroup($0) }
    return filter
  }

  /// Makes one reading. Before it, capabilities and system calls that it doesn't need are given up.
  mutating func read() throws -> StuckReading {
    Message.report(source.dropUnneededCapabilities())
    Confinement.filterTracing()
    time = KernelClock.monotonic() &+ KernelClock.wallOffset()
    return try Self.read(source, query, workloads)
  }

  /// What the last reading could not see.
  var ending: RunEnding {
    RunEnding(
      undecodable: source.undecodableSnapshots, isConfined: source.isConfined, unreached: source.unreached.count)
  }

  /// - Parameters:
  ///   - workloads: names containers, pods and units; `nil` leaves them unknown.
  ///   - idOf: the id of a connection, by its socket's cookie or address.
  ///   - makerOf: the process that had a socket, by the same, as far as it was traced.
  ///   - look: sees each record.
  static func read(
    _ source: KernelSource, _ query: StuckQuery, _ workloads: (any WorkloadNaming)? = nil,
    idOf: (UInt64) -> UInt64 = { $0 },
    makerOf: (UInt64) -> SocketHolder? = { _ in nil }, look: (UnsafePointer<tcpstate_snapshot>) -> Void = { _ in }
  ) throws -> StuckReading {
    var namespaces = try source.namespaces()
    if let wanted = query.filter.netns { namespaces = namespaces.filter { $0.key == wanted } }
    var survey = StuckSurvey(query)
    survey.workloads = workloads
    survey.seesAllProcesses = Surroundings.current.place(.pid) == .initial
    let widening = Widening()
    try source.readSockets(
      states: StuckSurvey.readingMask(query), namespaces: namespaces, widened: { widening.isWanted }
    ) { snapshot, _ in
      if survey.ticksPerSecond == nil { survey.ticksPerSecond = KernelClock.ticksPerSecond(snapshot.pointee) }
      survey.add(snapshot, idOf: idOf)
      if snapshot.pointee.event.kind == TCPSTATE_KIND_MPTCP { widening.isWanted = survey.wantsSubflows }
      look(snapshot)
    }
    var supplies: [UInt32: PortSupply] = [:]
    if query.states.contains(.timeWait) {
      for (inode, path) in namespaces { supplies[inode] = try NetworkNamespaces.portSupply(of: inode, path: path) }
    }
    return survey.finish(supplies: supplies, makerOf: makerOf)
  }
}
