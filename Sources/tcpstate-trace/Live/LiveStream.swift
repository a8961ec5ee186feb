import CTCPStateEvent
import TCPStateCore
import TCPStateKernel
import TCPStateReport

/// The live source with its tracker: kernel records in, transitions out.
///
/// The seam between where transitions come from and the commands that fold
/// over them.
struct LiveStream: ~Copyable {
  /// Two CPUs' records can be swapped by some microseconds; a millisecond later all have come.
  private static let reorderWindow: UInt64 = 1_000_000

  /// How long records that are being written are waited for at the end.
  private static let lastWriting: UInt64 = 1_000_000_000

  /// Bytes in the ring buffer that aren't left until the next tick.
  private static let largeBacklog: UInt64 = 256 * 1024

  let source: KernelSource
  var tracker = ConnectionTracker()
  /// Events lost until now.
  private(set) var lost: UInt64 = 0
  /// Of these, by runs that the kernel skipped; the others found the buffer full.
  private(set) var skipped: UInt64 = 0
  /// Transitions until now.
  private(set) var transitions: UInt64 = 0
  private(set) var attachedAt: UInt64 = 0
  private var lastLossCheck: UInt64 = 0
  /// After a loss the tables have to be read again.
  private(set) var needsTables = false
  /// Whether there is more to be pumped at once.
  private(set) var isBehind = false
  private static let comparisonInterval: UInt64 = 300_000_000_000

  private var pacer = SilentPacer()
  private var lastComparison: UInt64 = 0
  private var taken: UInt8 = 0
  /// During a reading, not before; CLOCK_MONOTONIC.
  private var pumpAgain: UInt64 = 0
  private var putOff: [tcpstate_snapshot] = []
  private var overflows = TimeWaitOverflows()
  /// When the last event was, CLOCK_MONOTONIC.
  private var lastEvent: UInt64 = 0
  /// Lost since the last transition was handed on.
  private var untoldLoss: UInt64 = 0
  private var hasToldCrowd = false
  /// To be told.
  private var notices: [Notice] = []
  /// Apart, so that it is handed on where it is: a member would be copied out and back.
  ///
  /// Whoever passes it beside another member copies the pointer first; else the thread sanitizer takes both for
  /// accesses to the whole.
  private let row = UnsafeMutablePointer<Transition>.allocate(capacity: 1)
  /// Those that the kernel tells of; `nil` for all.
  private let localPorts: PortSet?
  /// Writes all rows beside what becomes of them.
  private var recorder: Recorder?

  /// - Parameter connectionLimit: connections tracked at the most.
  init(
    _ configuration: KernelSource.Configuration, connectionLimit: Int = ConnectionTracker.defaultLimit,
    recorder: consuming Recorder? = nil
  ) throws(KernelError) {
    row.initialize(to: Transition())
    localPorts = configuration.filter.localPorts
    self.recorder = recorder
    tracker.limit = connectionLimit
    tracker.adoptsMinisocks = configuration.filter.cgroup == nil
    source = try KernelSource(configuration)
  }

  deinit { row.deallocate() }

  /// Attaches, and reads what is there already if asked to. Capabilities that are no longer needed are given
  /// up in between, so whatever else needs some, such as opening the output, comes before.
  ///
  /// - Parameter receive: gets each transition, and the number of events lost right before it.
  mutating func start(readExisting: Bool, _ receive: (inout Transition, UInt64) -> Void) throws(KernelError) {
    tracker.wallOffset = KernelClock.wallOffset()
    tracker.followsMinisocks = source.canReadTables
    try source.attach()
    attachedAt = KernelClock.monotonic()
    tracker.completeSince = attachedAt
    lastLossCheck = attachedAt
    let missing = source.missingForNamespaces
    if !missing.isEmpty { tracker.readableNamespaces = try Rights.readable(source, missing) }
    Rights.giveUp(source)
    if readExisting { try readTables(receive) }
  }

  /// Tells of the sockets that were there at the start, each by a row whose state is both old and
  /// new; a recording begins with them.
  ///
  /// - Parameter receive: gets each of these rows.
  mutating func handOnExisting(_ receive: (inout Transition) -> Void = { _ in }) {
    var recorder = self.recorder.take()
    tracker.forEachOpen(now: KernelClock.monotonic()) { found in
      var row = copy found
      row.stay = nil  // it goes on
      recorder?.receive(&row, lossBefore: 0)
      receive(&row)
    }
    self.recorder = recorder
  }

  /// Writes what is recorded, without being held up.
  mutating func flushRecorder() throws { try recorder?.flush() }

  /// Takes over what the ring buffer holds now.
  ///
  /// What comes in meanwhile waits for the next call: events may come faster than they can be
  /// applied, and the caller has signals and deadlines to look after.
  ///
  /// - Parameter final: nothing follows, so nothing is held back for order's sake.
  mutating func pump(final: Bool = false, _ receive: (inout Transition, UInt64) -> Void) {
    let limit = final ? UInt64.max : KernelClock.monotonic() - Self.reorderWindow
    let position = source.position
    take(until: position, limit, receive)
    if final { takeUnwritten(receive) }
    if source.position - position > Self.largeBacklog { isBehind = true }
  }

  private mutating func take(
    until position: UInt64, _ limit: UInt64, _ receive: (inout Transition, UInt64) -> Void
  ) {
    var applied = true
    isBehind = true
    while isBehind, applied {
      isBehind = source.consume(until: position)
      applied = apply(until: limit, receive)
    }
  }

  /// What was begun before the detaching is still being written by a CPU that the host may have taken away.
  private mutating func takeUnwritten(_ receive: (inout Transition, UInt64) -> Void) {
    let deadline = KernelClock.monotonic() + Self.lastWriting
    while source.hasUnread, KernelClock.monotonic() < deadline {
      KernelClock.sleep(nanoseconds: 100_000)
      take(until: source.position, .max, receive)
    }
  }

  /// What this kernel, or this way of attaching, can't give.
  var shortfall: String? {
    guard let shortfall = source.shortfall else { return nil }
    let what = source.attachment == .btf ? "This kernel" : "The classic tracepoint"
    return "\(what) gives less: \(shortfall)."
  }

  func tellShortfall() {
    if let shortfall { Message.line(shortfall) }
  }

  /// What has come up since the last call.
  mutating func takeNotices() -> [Notice] {
    defer { notices = [] }
    return notices
  }

  /// Tells it on standard error.
  mutating func tellNotices() {
    for notice in takeNotices() { Message.error(notice.text) }
  }

  /// Losses that no event has told of, at most once in 250 ms.
  mutating func checkLosses(force: Bool = false) {
    let now = KernelClock.monotonic()
    guard force || now - lastLossCheck > 500_000_000 else { return }
    lastLossCheck = now
    followClock()
    compareNowAndThen(now)
    let dropped = source.unreportedDrops()
    if dropped > 0 { noteLoss(dropped, at: now) }
    let skips = source.unreportedSkips()
    if skips > 0 { noteLoss(skips, at: now) }
    skipped += skips
    if tracker.crowdedOut > 0, !hasToldCrowd {
      hasToldCrowd = true
      let text =
        "\(NumberText.string(UInt64(tracker.limit))) connections are tracked, the most that --max-connections allows; "
        + "ends of TIME-WAIT, half-open requests, and durations of new connections may be missing"
      notices.append(Notice(text: text, holds: true))
    }
  }

  /// The clock may be set while we run; NTP's slewing moves both clocks alike.
  private mutating func followClock() {
    let offset = KernelClock.wallOffset()
    let change = Int64(bitPattern: offset &- tracker.wallOffset)
    guard change.magnitude > 1_000_000 else { return }
    tracker.wallOffset = offset
    let text =
      "the clock was set \(DurationText.string(change.magnitude)) \(change > 0 ? "forward" : "back"); "
      + "times follow it from here on, durations are not affected"
    notices.append(Notice(text: text, holds: false))
  }

  /// Reads the kernel's tables: at the start and after a loss.
  mutating func readTables(_ receive: (inout Transition, UInt64) -> Void) throws(KernelError) {
    needsTables = false
    lastComparison = KernelClock.monotonic()
    guard source.canReadTables else { return }
    let namespaces = try source.namespaces()
    let missing = source.missingForNamespaces
    if !missing.isEmpty { tracker.readableNamespaces = try Rights.readable(source, missing) }
    try read(minisocksOnly: false, namespaces: namespaces, receive)
  }

  /// Looks after the minisocks and requests if it is time to.
  ///
  /// - Parameter final: a last look, so that what has changed silently is told before the end.
  mutating func followSilent(final: Bool = false, _ receive: (inout Transition, UInt64) -> Void) throws(KernelError) {
    guard source.canReadTables, final ? tracker.silentCount > 0 : isReadingDue else { return }
    let wanted = tracker.silent.namespaces
    let namespaces = try source.namespaces().filter { wanted.contains($0.key) }
    try read(minisocksOnly: true, namespaces: namespaces, receive)
  }

  /// When the minisocks want to be read next, CLOCK_MONOTONIC.
  var nextReading: UInt64? { source.canReadTables ? pacer.nextReading(tracker) : nil }

  private var isReadingDue: Bool { nextReading.map { $0 <= KernelClock.monotonic() } ?? false }

  private mutating func read(
    minisocksOnly: Bool, namespaces: [UInt32: String], _ receive: (inout Transition, UInt64) -> Void
  ) throws(KernelError) {
    let source = source
    let start = KernelClock.monotonic()
    let before = pacer.begin(now: start)
    tracker.beginPass()
    let found =
      minisocksOnly
      ? try source.readMinisocks(namespaces: namespaces) { take($0, $1, receive) }
      : try source.readSockets(namespaces: namespaces) { take($0, $1, receive) }
    let end = KernelClock.monotonic()
    if tracker.ticksPerSecond == nil { tracker.ticksPerSecond = source.ticksPerSecond }
    applyPutOff(receive)
    let overflowed = overflows.grew()
    let row = row
    // Who can't be seen isn't gone; one that could be, and isn't there any more, is.
    let seesAll = source.missingForNamespaces.isEmpty
    let isUnread = { (netns: UInt32) in !found.contains(netns) && (!seesAll || namespaces[netns] != nil) }
    for key in tracker.endPass(startedAt: start, minisocksOnly: minisocksOnly, isUnread: isUnread) {
      tracker.conclude(key, pass: start...end, lastSeen: before, overflowed: overflowed, to: &row.pointee)
      emit(receive)
    }
    if !minisocksOnly { tracker.lossBegan = nil }
    pacer.end()
  }

  private mutating func take(
    _ snapshot: UnsafePointer<tcpstate_snapshot>, _ following: UnsafeBufferPointer<tcpstate_snapshot>,
    _ receive: (inout Transition, UInt64) -> Void
  ) {
    tracker.prefetch(following)
    taken &+= 1
    if taken % 64 == 0 { pumpMeanwhile(receive) }
    if tracker.ticksPerSecond == nil { tracker.ticksPerSecond = KernelClock.ticksPerSecond(snapshot.pointee) }
    let row = row
    if tracker.mustWait(snapshot) {
      putOff.append(snapshot.pointee)
    } else if tracker.apply(snapshot, to: &row.pointee) {
      emit(receive)
    }
  }

  /// A long reading mustn't let the ring buffer fill up. Nor may a flood of events keep it from ever
  /// getting done: it has half of the time.
  private mutating func pumpMeanwhile(_ receive: (inout Transition, UInt64) -> Void) {
    let before = KernelClock.monotonic()
    guard before >= pumpAgain else { return }
    pump(receive)
    let after = KernelClock.monotonic()
    pumpAgain = after + (after - before)
  }

  /// Records that had to wait until the events from before them were applied.
  private mutating func applyPutOff(_ receive: (inout Transition, UInt64) -> Void) {
    // Whatever happened during the pass has reached the ring buffer by then.
    KernelClock.sleep(nanoseconds: Self.reorderWindow + 100_000)
    pump(receive)
    let row = row
    for index in putOff.indices {
      let isRow = withUnsafePointer(to: &putOff[index]) { tracker.apply($0, to: &row.pointee) }
      if isRow { emit(receive) }
    }
    putOff = []
  }

  /// - Returns: whether there were any.
  @inline(__always)
  private mutating func apply(until limit: UInt64, _ receive: (inout Transition, UInt64) -> Void) -> Bool {
    var applied = false
    let row = row
    while let event = source.nextEvent(until: limit) {
      // These are far enough ahead for the memory to have answered by then.
      if let coming = source.peek(12) { tracker.prefetchIndex(for: coming) }
      if let coming = source.peek(6) { tracker.prefetchConnection(for: coming) }
      let loss = source.lossesBefore(event)
      if loss > 0 { noteLoss(loss, at: event.pointee.timestamp_ns) }
      lastEvent = event.pointee.timestamp_ns
      if tracker.apply(event, to: &row.pointee) {
        emit(receive)
        // connect() chose its port late, and it isn't one of those that the kernel goes on telling of.
        if row.pointee.old == .synSent, let localPorts, !localPorts.contains(row.pointee.local.port) {
          tracker.forget(event)
        }
      }
      if let reused = tracker.takeReused() {
        tracker.concludeReused(at: reused.time, reused.key, to: &row.pointee)
        emit(receive)
      }
      applied = true
    }
    return applied
  }

  @inline(__always)
  private mutating func emit(_ receive: (inout Transition, UInt64) -> Void) {
    transitions += 1
    let (row, loss) = (row, untoldLoss)
    untoldLoss = 0
    recorder?.receive(&row.pointee, lossBefore: loss)
    receive(&row.pointee, loss)
  }

  /// The kernel can skip its probes unseen while another tracer attaches, so the
  /// tables are compared now and then even when no loss was counted.
  private mutating func compareNowAndThen(_ now: UInt64) {
    if tracker.knowsExisting, now - lastComparison > Self.comparisonInterval { needsTables = true }
  }

  private mutating func noteLoss(_ count: UInt64, at time: UInt64) {
    lost += count
    if tracker.lossBegan == nil { tracker.lossBegan = max(lastEvent, attachedAt) }
    untoldLoss += count
    tracker.completeSince = time
    needsTables = true
  }
}
