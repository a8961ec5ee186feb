// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent
import TCPStateCore
import TCPStateKernel

/// What only the kernel's tables know: sockets older than the stream, minisocks, and what a loss has hidden.
extension LiveStream {
  /// When the minisocks should be read next, CLOCK_MONOTONIC; `nil` if there is nothing to read.
  var nextReading: UInt64? {
    source.canReadTables ? pacer.nextReading(tracker.silent, count: tracker.silentCount) : nil
  }

  private var isReadingDue: Bool { nextReading.map { $0 <= KernelClock.monotonic() } ?? false }

  mutating func learnReadableNamespaces() throws(KernelError) {
    guard !source.missingForNamespaces.isEmpty || source.hidesNamespaces else { return }
    tracker.readableNamespaces = try source.readableNamespaces()
  }

  /// Reads all sockets: at the start and after a loss.
  mutating func readTables(_ receive: Receive) throws(KernelError) {
    needsTables = false
    lastComparison = KernelClock.monotonic()
    guard source.canReadTables else { return }
    let namespaces = try source.namespaces()
    try learnReadableNamespaces()
    let cpu = KernelClock.processCPU()
    try read(minisocksOnly: false, namespaces: namespaces, receive)
    comparisonCost = KernelClock.processCPU() - cpu
    census.restart()
    counted = countable(namespaces)
    noteUnreached()
  }

  /// Sockets of these namespaces are known, but not all of them.
  private mutating func noteUnreached() {
    let new = source.unreached.subtracting(unreached)
    guard !new.isEmpty else { return }
    unreached.formUnion(new)
    // For lack of a capability it has been said.
    if source.missingForNamespaces.isEmpty { notices.append(.namespacesUnreached(count: new.count)) }
  }

  /// The namespaces whose own counts of sockets can be compared with what is tracked: not if a filter leaves some of
  /// their sockets out, or there are so many that looking costs too much.
  private func countable(_ namespaces: [UInt32: String]) -> [UInt32: String]? {
    var filter = configuration.kernel.filter
    let only = filter.netns
    filter.netns = nil
    guard filter.isEmpty, source.missingForNamespaces.isEmpty || only == NetworkNamespaces.own,
      !source.hidesNamespaces, source.unreached.isEmpty
    else { return nil }
    let wanted = only.map { only in namespaces.filter { $0.key == only } } ?? namespaces
    return wanted.count <= Self.mostCounted ? wanted : nil
  }

  /// Brings the counters of all sockets up to date: bytes, retransmissions and round-trip times change without any event.
  ///
  /// - Returns: CPU nanoseconds that it took.
  public mutating func recount() throws(KernelError) -> UInt64 {
    guard source.canReadTables else { return 0 }
    let (source, cpu) = (source, KernelClock.processCPU())
    let namespaces = try source.namespaces()
    try source.readSockets(namespaces: namespaces) { snapshot, following in
      tracker.prefetch(following)
      tracker.recount(snapshot)
    }
    let cost = KernelClock.processCPU() - cpu
    tracker.countersHold(until: KernelClock.monotonic() + max(Self.shortestRecount, cost * Self.recountShare) * 2)
    return cost
  }

  /// Nanoseconds between two recounts, and of which part of the time one may take.
  public static var shortestRecount: UInt64 { 1_000_000_000 }
  public static var recountShare: UInt64 { 50 }
  private static var mostCounted: Int { 64 }

  /// Looks after the minisocks and requests if it is time to.
  ///
  /// - Parameter isFinal: a last look, so that what has changed silently is reported before the end.
  mutating func followSilent(isFinal: Bool, _ receive: Receive) throws(KernelError) {
    guard source.canReadTables, isFinal ? tracker.silentCount > 0 : isReadingDue else { return }
    let wanted = tracker.silent.namespaces
    let namespaces = try source.namespaces(among: wanted)
    try read(minisocksOnly: true, namespaces: namespaces, receive)
  }

  /// Reads all sockets for a purpose of the caller, and takes over events meanwhile.
  ///
  /// - Parameters:
  ///   - states: those to read, one bit for each of the kernel's numbers.
  ///   - widened: asked after the sockets that processes hold, whether all states are to be read of the others.
  ///   - look: sees each record, as `KernelSource.readSockets` describes.
  public mutating func readSockets(
    states: UInt32, widened: () -> Bool = { false }, _ receive: Receive, look: SnapshotReceiver
  ) throws(KernelError) {
    let source = source
    readings += 1
    try source.readSockets(states: states, namespaces: source.namespaces(), widened: widened) { snapshot, following in
      taken &+= 1
      if taken % 64 == 0 { pumpMeanwhile(receive) }
      look(snapshot, following)
    }
  }

  private mutating func read(
    minisocksOnly: Bool, namespaces: [UInt32: String], _ receive: Receive
  ) throws(KernelError) {
    let (source, row) = (source, row.pointer)
    readings += 1
    let start = KernelClock.monotonic()
    let before = pacer.begin(now: start, cpu: KernelClock.processCPU())
    tracker.beginPass()
    let found =
      minisocksOnly
      ? try source.readMinisocks(namespaces: namespaces) { take($0, $1, receive) }
      : try source.readSockets(namespaces: namespaces) { take($0, $1, receive) }
    let end = KernelClock.monotonic()
    if tracker.ticksPerSecond == nil { tracker.ticksPerSecond = source.ticksPerSecond }
    applyPutOff(receive)
    overflows.take(source.timeWaitOverflows, isComplete: !minisocksOnly)
    // A socket that can't be seen isn't gone; one that could be seen, and isn't there any more, is.
    let seesAll = source.missingForNamespaces.isEmpty && !source.hidesNamespaces
    let unreached = source.unreached
    let isUnread = { (netns: UInt32) in
      !found.contains(netns) && (!seesAll || namespaces[netns] != nil || unreached.contains(netns))
    }
    let vanished = tracker.endPass(startedAt: start, minisocksOnly: minisocksOnly, isUnread: isUnread)
    let unseen = tracker.neverSeen(vanished)
    for key in vanished {
      // Only if all of them can have been refused is it known of each.
      let refused = tracker.neverSeenNamespace(of: key).map { overflows.refused(in: $0) >= unseen[$0, default: 0] }
      tracker.conclude(key, pass: start...end, lastSeen: before, overflowed: refused ?? false, to: &row.pointee)
      emit(receive)
    }
    if !minisocksOnly { tracker.lossBegan = nil }
    pacer.end(cpu: KernelClock.processCPU())
  }

  private mutating func take(
    _ snapshot: UnsafePointer<tcpstate_snapshot>, _ following: UnsafeBufferPointer<tcpstate_snapshot>,
    _ receive: Receive
  ) {
    let row = row.pointer
    tracker.prefetch(following)
    taken &+= 1
    if taken % 64 == 0 { pumpMeanwhile(receive) }
    if tracker.ticksPerSecond == nil { tracker.ticksPerSecond = KernelClock.ticksPerSecond(snapshot.pointee) }
    if tracker.mustWait(snapshot) {
      putOff.append(snapshot.pointee)
    } else if tracker.apply(snapshot, to: &row.pointee) {
      emit(receive)
    }
  }

  /// A long reading mustn't let the ring buffer fill up. Nor may a flood of events keep it from ever
  /// getting done: it has half of the time.
  private mutating func pumpMeanwhile(_ receive: Receive) {
    let before = KernelClock.monotonic()
    guard before >= pumpAgain else { return }
    pump(receive)
    let after = KernelClock.monotonic()
    pumpAgain = after + (after - before)
  }

  /// Records that had to wait until the events before them were applied.
  private mutating func applyPutOff(_ receive: Receive) {
    // Whatever happened during the pass has reached the ring buffer by then.
    KernelClock.sleep(nanoseconds: Self.reorderWindow + 100_000)
    pump(receive)
    let row = row.pointer
    var records: [tcpstate_snapshot] = []
    swap(&records, &putOff)
    for index in records.indices {
      let isRow = withUnsafePointer(to: &records[index]) { tracker.apply($0, to: &row.pointee) }
      if isRow { emit(receive) }
    }
  }
}
