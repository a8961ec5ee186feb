// SPDX-License-Identifier: Apache-2.0
import CLinux
import CTCPStateEvent
import Glibc
import TCPStateCore
import TCPStateKernel

/// TCP transitions of this machine as they happen: kernel records in, transitions and notices out.
///
///     var stream = try LiveStream(LiveConfiguration())
///     try stream.start { row, lossBefore in … }
///     while isWanted {
///       stream.wait(milliseconds: 70)
///       try stream.turn { row, lossBefore in … }
///       for notice in stream.takeNotices() { … }
///     }
///     try stream.turn(.final) { row, lossBefore in … }
///
/// One thread uses it. It writes nothing and prints nothing. It needs CAP_BPF and CAP_PERFMON, and gives up what
/// it no longer needs after attaching.
public struct LiveStream: ~Copyable {
  /// Receives each transition, and the number of events lost right before it.
  ///
  /// A row whose `isFound` is true is no transition: it says which process a connection has turned out to belong to.
  /// The row is valid for the call; its `sequence` is the receiver's to set.
  public typealias Receive = (_ row: inout Transition, _ lossBefore: UInt64) -> Void

  /// One round of the stream.
  public enum Turn: Sendable {
    case usual
    /// The receiver can't take more now: events stay in the ring buffer, and are lost there if it fills up.
    case heldUp
    /// The last: detaches, holds nothing back for order's sake, and looks once more at what changes silently.
    case final
  }

  /// How long a record can be late because two CPUs take their timestamps before they reserve: microseconds, so
  /// after a millisecond all have come.
  static let reorderWindow: UInt64 = 1_000_000
  /// Nanoseconds between two checks for losses that no event has reported.
  private static let checkInterval: UInt64 = 500_000_000
  /// The most and the least nanoseconds between two comparisons with the kernel's tables.
  private static let longestComparison: UInt64 = 300_000_000_000
  private static let shortestComparison: UInt64 = 30_000_000_000
  /// The least nanoseconds between two comparisons for which the kernel's counts ask.
  private static let shortestCensus: UInt64 = 5_000_000_000

  /// The kernel side. It is loaded by `init` and attached by `start`.
  public let source: KernelSource
  /// What is known of every connection.
  public internal(set) var tracker = ConnectionTracker()
  /// Whether transitions have the socket's windows, timers and queues; see `ConnectionTracker.fillsReadings`.
  public var fillsReadings: Bool {
    get { tracker.fillsReadings }
    set { tracker.fillsReadings = newValue }
  }
  /// Transitions handed on so far.
  public internal(set) var transitions: UInt64 = 0
  /// Readings of the kernel's tables so far, of all sockets or of minisocks only.
  public internal(set) var readings: UInt64 = 0
  /// When it was attached, CLOCK_MONOTONIC nanoseconds; 0 before.
  public private(set) var attachedAt: UInt64 = 0
  /// Whether more can be taken over at once, without waiting.
  public internal(set) var isBehind = false

  let configuration: LiveConfiguration
  let row = TransitionBox()
  var losses = LossLedger()
  /// Events lost since the last transition was handed on.
  var lossBefore: UInt64 = 0
  /// Whether the tables have to be read again, because of a loss.
  var needsTables = false
  var pacer = SilentPacer()
  var ownerPacer = OwnerPacer()
  var memberPacer = OwnerPacer()
  /// Every event up to then has been applied, CLOCK_MONOTONIC.
  var appliedUntil: UInt64 = 0
  var overflows = TimeWaitOverflows()
  /// When the last event was, CLOCK_MONOTONIC.
  var lastEvent: UInt64 = 0
  var lastComparison: UInt64 = 0
  /// CPU nanoseconds that the last comparison took.
  var comparisonCost: UInt64 = 0
  var census = Census()
  /// The namespaces of the last comparison; `nil` if they aren't all of which sockets are tracked.
  var counted: [UInt32: String]?
  /// During a reading events are not pumped before this time, CLOCK_MONOTONIC.
  var pumpAgain: UInt64 = 0
  var taken: UInt8 = 0
  /// Records of a reading that wait for the events before them.
  var putOff: [tcpstate_snapshot] = []
  private var lastCheck: UInt64 = 0
  private var hasReportedLimit = false
  var notices: [LiveNotice] = []
  /// Namespaces whose tables couldn't be read, although there were sockets of them.
  public internal(set) var unreached: Set<UInt32> = []
  private let wakeUp: WakeUp

  /// Loads the kernel side; nothing is attached yet.
  public init(_ configuration: LiveConfiguration) throws(KernelError) {
    let source = try KernelSource(configuration.kernel)
    let wakeUp = try WakeUp(source.descriptor)
    self.init(configuration, source, wakeUp)
  }

  private init(_ configuration: LiveConfiguration, _ source: KernelSource, _ wakeUp: consuming WakeUp) {
    self.configuration = configuration
    self.source = source
    self.wakeUp = wakeUp
    let filter = configuration.kernel.filter
    tracker.localPorts = filter.localPorts ?? filter.eitherPorts
    tracker.portsMayBePeers = filter.localPorts == nil
    tracker.limit = configuration.connectionLimit
    if configuration.namesWorkloads { tracker.workloads = WorkloadResolver() }
    tracker.adoptsMinisocks = configuration.kernel.filter.cgroup == nil
  }

  /// Attaches, and reads the sockets that exist already if the configuration asks for them.
  ///
  /// Capabilities that are no longer needed are given up in between, so whatever else needs one, such as opening
  /// an output file, comes before.
  public mutating func start(_ receive: Receive) throws(KernelError) {
    tracker.wallOffset = KernelClock.wallOffset()
    tracker.followsMinisocks = source.canReadTables
    try source.attach()
    attachedAt = KernelClock.monotonic()
    tracker.completeSince = attachedAt
    lastCheck = attachedAt
    try learnReadableNamespaces()
    notices += source.failedAttachments.map { .attachmentFailed($0) }
    notices += source.dropUnneededCapabilities()
    if configuration.readsExisting { try readTables(receive) }
  }

  /// The sockets that are open now, each as a row whose state is both old and new, without a stay.
  public mutating func forEachOpen(_ body: (inout Transition) -> Void) {
    tracker.forEachOpen(now: KernelClock.monotonic()) { found in
      var row = copy found
      row.stay = nil  // it goes on
      body(&row)
    }
  }

  /// Takes over what has happened, and reads the kernel's tables where only they know.
  public mutating func turn(_ turn: Turn = .usual, _ receive: Receive) throws(KernelError) {
    if turn == .final { source.detach() }
    // What comes from here on is the next call's: events may come faster than they can be applied.
    if turn != .heldUp { pump(isFinal: turn == .final, receive) }
    check(turn)
    guard turn != .heldUp else { return }
    if needsTables, turn != .final, losses.mayRead(now: KernelClock.monotonic()) { try readTables(receive) }
    try followSilent(isFinal: turn == .final, receive)
    try followOwners(isFinal: turn == .final, receive)
    if turn != .final { try followMembers(receive) }
  }

  /// Events lost so far.
  public var lost: UInt64 { losses.total }

  /// Whether everything was seen and nothing contradicted itself.
  public var isComplete: Bool {
    unreached.isEmpty && !source.isConfined && lost == 0 && tracker.unmatched == 0 && tracker.crowdedOut == 0
      && undecodable == 0
  }

  /// Kernel records that were of an unknown version, kind or length, and so were left out.
  public var undecodable: UInt64 { source.undecodable + source.undecodableSnapshots }

  /// What has come up since the last call.
  public mutating func takeNotices() -> [LiveNotice] {
    defer { notices = [] }
    return notices
  }

  /// How long the caller may wait before the next turn, at most `limit` milliseconds.
  public func timeout(atMost limit: Int32) -> Int32 {
    if isBehind { return 0 }
    guard let next = nextReading else { return limit }
    let now = KernelClock.monotonic()
    return next <= now ? 0 : Int32(min(UInt64(limit), (next - now) / 1_000_000 + 1))
  }

  /// Waits until there is much to take over, a reading is due, or the time is up.
  ///
  /// Programs with an event loop of their own watch `source.descriptor` for edges (EPOLLIN | EPOLLET) instead.
  public func wait(milliseconds: Int32) {
    wakeUp.wait(milliseconds: timeout(atMost: milliseconds))
  }

  /// Hands on transitions for so long, then detaches and hands on the rest.
  ///
  /// For programs without an event loop of their own.
  public mutating func run(for duration: Duration, _ receive: Receive) throws(KernelError) {
    let (seconds, attoseconds) = duration.components
    let deadline =
      KernelClock.monotonic() + UInt64(max(0, seconds)) * 1_000_000_000
      + UInt64(max(0, attoseconds)) / 1_000_000_000
    while KernelClock.monotonic() < deadline {
      let left = (deadline - min(deadline, KernelClock.monotonic())) / 1_000_000 + 1
      wait(milliseconds: Int32(min(left, 70)))
      try turn(.usual, receive)
    }
    try turn(.final, receive)
  }

  // MARK: - Checks

  /// Losses that no event has reported, the clock, and the limits; at most twice a second.
  private mutating func check(_ turn: Turn) {
    let now = KernelClock.monotonic()
    if turn == .final || now - lastCheck > Self.checkInterval {
      lastCheck = now
      followClock()
      // The kernel can skip its probes unseen, as while another tracer attaches.
      if tracker.knowsExisting, turn == .usual, isComparisonDue(now) { needsTables = true }
      let dropped = source.unreportedDrops()
      if dropped > 0 { noteLoss(dropped, at: now) }
      let skips = source.unreportedSkips()
      if skips > 0 { noteLoss(skips, at: now, skipped: true) }
      if tracker.crowdedOut > 0, !hasReportedLimit {
        hasReportedLimit = true
        notices.append(.connectionLimitReached(tracker.limit))
      }
    }
    if let notice = losses.notice(now: now, isHeldUp: turn == .heldUp, isLast: turn == .final) {
      notices.append(notice)
    }
  }

  /// Whether the tables should be read in case something was missed: when the kernel's own counts of sockets have
  /// drifted from the tracker's, and else now and then. Within 0.5 % and 0.1 % of a CPU.
  private mutating func isComparisonDue(_ now: UInt64) -> Bool {
    let passed = now - lastComparison
    let pause = min(
      Self.longestComparison, max(Self.shortestComparison, comparisonCost.saturatingMultiplied(by: 1_000)))
    if passed > pause { return true }
    guard let counted, tracker.crowdedOut == 0, let count = source.fullSocketCount(in: counted) else { return false }
    let hasDrifted = census.hasDrifted(difference: count - tracker.fullSocketCount)
    return hasDrifted && passed > max(Self.shortestCensus, comparisonCost.saturatingMultiplied(by: 200))
  }

  /// The clock may be set while we run; NTP's slewing moves both clocks alike.
  private mutating func followClock() {
    let offset = KernelClock.wallOffset()
    let change = Int64(bitPattern: offset &- tracker.wallOffset)
    guard change.magnitude > 1_000_000 else { return }
    tracker.wallOffset = offset
    notices.append(.clockSet(nanoseconds: change))
  }

  /// Events lost after the last row; each is returned once.
  public mutating func takeLossAfterLastRow() -> UInt64 {
    defer { lossBefore = 0 }
    return lossBefore
  }

  mutating func noteLoss(_ count: UInt64, at time: UInt64, skipped: Bool = false) {
    losses.add(count, skipped: skipped)
    if tracker.lossBegan == nil { tracker.lossBegan = max(lastEvent, attachedAt) }
    lossBefore += count
    tracker.completeSince = time
    needsTables = true
  }
}
