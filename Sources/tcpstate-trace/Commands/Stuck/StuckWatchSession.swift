// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import TCPStateCore
import TCPStateKernel
import TCPStateLive
import TCPStateReport

/// `stuck --watch`: traces, and reports each socket that stays too long as it does.
struct StuckWatchSession: ~Copyable, Activity {
  private static let tick: Int32 = 70
  /// Nanoseconds between two readings of the tables for what is due, at least.
  private static let pause: UInt64 = 250_000_000
  /// Nanoseconds between two readings for MPTCP, at most.
  private static let longestPause: UInt64 = 15_000_000_000

  private var stream: LiveStream
  private var recorder: Recorder?
  private let query: StuckQuery
  private var watch: StuckWatch
  private var printer: StuckPrinter
  private var runner: CommandRunner?
  private var cgroups = CgroupPathCache()
  private var cpuBefore: CPUBefore
  /// Kept from one reading to the next, so that a container that is gone keeps its name.
  private let workloads = WorkloadResolver()
  private var lastReading: UInt64 = 0
  private var hasReportedLimit = false
  /// As of the last reading.
  private var mptcpChanges: UInt64 = 0
  /// Readings that are still wanted because of MPTCP: what has left its state is missed by two in a row.
  private var mptcpReadings = 0

  init(
    _ stream: consuming LiveStream, recorder: consuming Recorder?, printer: consuming StuckPrinter,
    watch: StuckWatch, runner: consuming CommandRunner?
  ) {
    self.stream = stream
    self.recorder = recorder
    self.printer = printer
    self.watch = watch
    query = watch.query
    cpuBefore = CPUBefore(limit: watch.limit)
    self.runner = runner
  }

  /// Whether any of what was reported is wrong.
  var hasFound: Bool { watch.troubling > 0 || runsOutOfPorts }
  private var runsOutOfPorts = false
  /// CLOCK_MONOTONIC.
  var attachedAt: UInt64 { stream.attachedAt }

  mutating func start(_ loop: borrowing EventLoop) throws {
    try stream.start { row, loss in recorder?.receive(&row, lossBefore: loss) }
    if runner == nil { Confinement.filterTracing() }
    Message.report(stream.takeNotices())
    stream.forEachOpen { row in recorder?.receive(&row, lossBefore: 0) }
    guard stream.source.canReadTables else {
      throw Failure(.unavailable, "can't watch: this kernel provides no socket iterator")
    }
    // The time afterwards: ages must stay lower bounds.
    let found = try reading()
    watch.adopt(found, at: KernelClock.monotonic())
    try printer.beginWatch()
    Message.line(
      "Watching for sockets that stay in \(Stuck.names(query)) for \(DurationText.string(query.olderThan)). "
        + "Ctrl-C ends.")
    if let shortfall = NoticeText.shortfall(stream.source) { Message.line(shortfall) }
    loop.watch(stream.source.descriptor, events: EPOLLIN.rawValue | EPOLLET.rawValue)
  }

  func timeout() -> Int32 { stream.isBehind && !printer.isBackedUp ? 0 : Self.tick }

  mutating func round(_ loop: borrowing EventLoop, isLast: Bool) throws {
    // What a reader far behind doesn't take stays in the kernel, and is lost there when it gets too much.
    let turn: LiveStream.Turn = isLast ? .final : printer.isBackedUp ? .heldUp : .usual
    try takeIn(turn)
    Message.report(stream.takeNotices())
    try recorder?.flush()

    let now = KernelClock.monotonic()
    let isDue = turn != .heldUp && (now - lastReading >= Self.pause || isLast) && watch.isDue(now)
    if isDue || turn == .usual && wantsMPTCP(now) {
      noteMPTCP()
      let found = try reading()
      lastReading = now
      watch.adopt(found, at: KernelClock.monotonic())
      let time = now &+ stream.tracker.wallOffset
      report(watch.takeVanished(now, from: found).map { ($0, time) }, .ended)
      report(described(watch.takeDue(now, from: found)).map { ($0, time) }, .crossed)
    }
    reportLimit()
    runner?.advance(now: now)
    try printer.flush()
  }

  /// Whether to look for MPTCP connections that have entered the state: no event reports it, so this is done while most
  /// of the threshold is still ahead.
  private func wantsMPTCP(_ now: UInt64) -> Bool {
    (mptcpReadings > 0 || stream.source.mptcpChanges != mptcpChanges)
      && now - lastReading >= min(max(query.olderThan / 4, Self.pause), Self.longestPause)
  }

  private mutating func noteMPTCP() {
    let changes = stream.source.mptcpChanges
    mptcpReadings = changes != mptcpChanges ? 1 : max(0, mptcpReadings - 1)
    mptcpChanges = changes
  }

  mutating func resized() { printer.measureTerminal() }
  mutating func interrupted() { Message.endInterruptedLine() }
  var isDone: Bool { printer.isClosed }

  mutating func finish(_ loop: borrowing EventLoop) throws -> (RunEnding, ClosingText) {
    stream.source.detach()
    try recorder?.finish(
      lossAfter: stream.takeLossAfterLastRow(), at: KernelClock.monotonic() &+ stream.tracker.wallOffset)
    // Single sockets and ports say little: whose they are, and what they use up together, does.
    var left = watch.present(now: KernelClock.monotonic())
    if query.states.contains(.timeWait) {
      left.timeWait = try reading().timeWait
      runsOutOfPorts = left.timeWait.contains { $0.runsOut }
    }
    printer.append(closing: left)
    let unread = try loop.drain(to: printer.descriptor) { try printer.flush() }
    if unread > 0 { Message.error(OutputFile.unread(unread)) }
    runner?.finish()
    let ending = RunEnding(
      transitions: stream.transitions, lost: stream.lost, unmatched: stream.tracker.unmatched,
      crowdedOut: stream.tracker.crowdedOut + UInt64(watch.crowdedOut), undecodable: stream.undecodable,
      isConfined: stream.source.isConfined, unreached: stream.unreached.count,
      unread: unread, elapsed: KernelClock.monotonic() - stream.attachedAt)
    return (ending, ClosingText(text: summary + "\n", hasLosses: true))
  }

  private mutating func reportLimit() {
    guard watch.crowdedOut > 0, !hasReportedLimit else { return }
    hasReportedLimit = true
    Message.error(
      "\(StuckPrinter.count(watch.limit, "socket")) are watched, the most that --max-connections allows; "
        + "others may get stuck unseen")
  }

  /// Events, and what the tables know; ends are printed.
  private mutating func takeIn(_ turn: LiveStream.Turn) throws {
    let offset = stream.tracker.wallOffset
    var left: [(StuckSocket, UInt64)] = []
    cpuBefore.beginTurn()
    try stream.turn(turn) { row, loss in
      recorder?.receive(&row, lossBefore: loss)
      Self.take(row, offset, &watch, &left)
      cpuBefore.take(row, query.states)
    }
    report(left, .ended)
  }

  private static func take(
    _ row: borrowing Transition, _ offset: UInt64, _ watch: inout StuckWatch, _ left: inout [(StuckSocket, UInt64)]
  ) {
    if let socket = watch.receive(row, at: row.time &- offset) { left.append((socket, row.time)) }
  }

  /// - Parameter sockets: with the time of the event, nanoseconds since the epoch.
  private mutating func report(_ sockets: [(StuckSocket, UInt64)], _ event: StuckEvent) {
    guard !sockets.isEmpty else { return }
    let isCommandRun = event == .crossed && runner != nil
    if isCommandRun || printer.showsCgroups {
      cgroups.look(for: sockets.compactMap { $0.0.cgroup }, now: KernelClock.monotonic())
    }
    for (socket, time) in sockets {
      cpuBefore.forget(socket.connection)
      printer.append(socket, event, at: time, cgroups: cgroups.paths)
      guard isCommandRun else { continue }
      runner?.add(StuckEnvironment.variables(socket, event, time: time, cgroups: cgroups.paths), for: socket)
    }
  }

  /// With what their holders are doing.
  private func described(_ sockets: [StuckSocket]) -> [StuckSocket] {
    guard !sockets.isEmpty else { return [] }
    var sockets = sockets
    var processes = ProcessReader()
    processes.describe(&sockets)
    for index in sockets.indices { sockets[index].cpuBefore = cpuBefore[sockets[index].connection] }
    return sockets
  }

  /// All wanted sockets, however young.
  private func reading() throws -> StuckReading {
    var all = query
    all.olderThan = 0
    return try StuckReader.read(
      stream.source, all, workloads, idOf: { stream.tracker.id(of: $0) }, makerOf: { stream.tracker.owner(of: $0) })
  }

  private var summary: String {
    let left = watch.crossed - watch.ended
    return "\(StuckPrinter.count(watch.crossed, "socket")) stayed in \(Stuck.names(query)) for "
      + "\(DurationText.string(query.olderThan)) or longer; \(NumberText.string(UInt64(left))) still there. "
      + "\(NumberText.string(stream.lost)) events lost."
  }
}
