import CLinux
import Glibc
import TCPStateCore
import TCPStateKernel
import TCPStateReport

/// `stuck --watch`: traces, and tells of each socket that stays too long as it does.
struct StuckWatchSession: ~Copyable {
  private static let tick: Int32 = 70
  /// The tables are read for what is due at most so often.
  private static let pause: UInt64 = 250_000_000

  private let loop: EventLoop
  private var stream: LiveStream
  private let query: StuckQuery
  private var watch: StuckWatch
  private var printer: StuckPrinter
  private var runner: CommandRunner?
  private let duration: UInt64?
  private var losses = LossReport()
  private var lastReading: UInt64 = 0
  private var hasToldCrowd = false

  init(
    loop: consuming EventLoop, stream: consuming LiveStream, printer: consuming StuckPrinter, watch: StuckWatch,
    runner: consuming CommandRunner?, duration: UInt64?
  ) {
    self.loop = loop
    self.stream = stream
    self.printer = printer
    self.watch = watch
    query = watch.query
    self.runner = runner
    self.duration = duration
  }

  /// How many sockets crossed the threshold.
  var crossed: Int { watch.crossed }

  mutating func run() throws {
    try stream.start(readExisting: true) { _, _ in }
    stream.handOnExisting()
    guard stream.source.canReadTables else {
      throw Failure(.unavailable, "can't watch: this kernel doesn't let its tables of sockets be read")
    }
    // The time afterwards: ages must stay lower bounds.
    let found = try reading()
    watch.adopt(found, at: KernelClock.monotonic())
    printer.beginWatch()
    Message.line(
      "Watching for sockets that stay in \(Stuck.names(query)) for \(DurationText.string(query.olderThan)). "
        + "Ctrl-C ends.")
    stream.tellShortfall()
    loop.watch(stream.source.descriptor, events: EPOLLIN.rawValue | EPOLLET.rawValue)
    let deadline = duration.map { stream.attachedAt + $0 }
    var ending = false
    while !ending {
      let hasMore = stream.isBehind && !printer.isBackedUp
      for signal in loop.wait(milliseconds: hasMore ? 0 : Self.tick) where signal != SIGWINCH {
        ending = true
        if signal == SIGINT { Message.endInterruptedLine() }
      }
      if let deadline, KernelClock.monotonic() >= deadline { ending = true }
      if ending { stream.source.detach() }
      try turn(final: ending)
      if printer.isClosed { ending = true }
    }
    // Single ports say little: what they use up together, and whose they are, does.
    if query.states.contains(.timeWait) { printer.append(timeWait: try reading().timeWait) }
    let unread = try loop.drain(to: printer.descriptor) { try printer.flush() }
    if unread > 0 { Message.error(OutputFile.unread(unread)) }
    runner?.finish()
    losses.tell(total: stream.lost, skipped: stream.skipped, now: true)
    Message.line(summary)
  }

  private mutating func turn(final: Bool) throws {
    // What a reader far behind doesn't take stays in the kernel, and is lost there when it gets too much.
    let isHeldUp = printer.isBackedUp && !final
    if !isHeldUp { try takeIn(final: final) }
    stream.checkLosses(force: final)
    stream.tellNotices()
    losses.tell(total: stream.lost, skipped: stream.skipped, isHeldUp: isHeldUp)
    try stream.flushRecorder()

    let now = KernelClock.monotonic()
    if !isHeldUp, now - lastReading >= Self.pause || final, watch.isDue(now) {
      let found = try reading()
      lastReading = now
      let time = now &+ stream.tracker.wallOffset
      for socket in watch.takeVanished(now, from: found) { tell(socket, .ended, time) }
      for socket in watch.takeDue(now, from: found) { tell(socket, .crossed, time) }
    }
    tellCrowd()
    runner?.advance(now: now)
    try printer.flush()
  }

  private mutating func tellCrowd() {
    guard watch.crowdedOut > 0, !hasToldCrowd else { return }
    hasToldCrowd = true
    Message.error(
      "\(StuckPrinter.count(watch.limit, "socket")) are watched, the most that --max-connections allows; "
        + "others may get stuck without a word")
  }

  /// Events, and what the tables tell; ends are printed.
  private mutating func takeIn(final: Bool) throws {
    let offset = stream.tracker.wallOffset
    var left: [(StuckSocket, UInt64)] = []
    stream.pump(final: final) { row, _ in Self.take(row, offset, &watch, &left) }
    if stream.needsTables, !final, losses.mayRead {
      try stream.readTables { row, _ in Self.take(row, offset, &watch, &left) }
    }
    try stream.followSilent(final: final) { row, _ in Self.take(row, offset, &watch, &left) }
    for (socket, time) in left { tell(socket, .ended, time) }
  }

  private static func take(
    _ row: borrowing Transition, _ offset: UInt64, _ watch: inout StuckWatch, _ left: inout [(StuckSocket, UInt64)]
  ) {
    if let socket = watch.receive(row, at: row.time &- offset) { left.append((socket, row.time)) }
  }

  private mutating func tell(_ socket: StuckSocket, _ event: StuckEvent, _ time: UInt64) {
    printer.append(socket, event, at: time)
    guard event == .crossed, runner != nil else { return }
    let cgroups = CgroupPaths.find(Set([socket.cgroup].compactMap { $0 }))
    runner?.add(StuckEnvironment.variables(socket, event, time: time, cgroups: cgroups))
  }

  /// All wanted sockets, however young.
  private func reading() throws -> StuckReading {
    var all = query
    all.olderThan = 0
    return try StuckReader.read(
      stream.source, all, idOf: { stream.tracker.id(of: $0) }, makerOf: { stream.tracker.owner(of: $0) })
  }

  private var summary: String {
    let left = watch.crossed - watch.ended
    return "\(StuckPrinter.count(watch.crossed, "socket")) stayed in \(Stuck.names(query)) for "
      + "\(DurationText.string(query.olderThan)) or longer; \(NumberText.string(UInt64(left))) still there. "
      + "\(NumberText.string(stream.lost)) events lost."
  }
}
