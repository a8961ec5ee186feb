import CLinux
import Glibc
import TCPStateCore
import TCPStateKernel

/// A sink over the live kernel, from attach to the last flush, on one thread.
struct LiveSession<Sink: TransitionSink & ~Copyable>: ~Copyable {
  /// Milliseconds; rows must not be older than 100 when they are seen.
  private static var tick: Int32 { 70 }

  private let loop: EventLoop
  private(set) var stream: LiveStream
  var sink: Sink
  private let duration: UInt64?
  private var losses = LossReport()
  private var isWaitingForReader = false
  /// Bytes that nobody read.
  private var unread = 0

  init(
    loop: consuming EventLoop, stream: consuming LiveStream, sink: consuming Sink, duration: UInt64?
  ) {
    self.loop = loop
    self.stream = stream
    self.sink = sink
    self.duration = duration
  }

  /// Whether all was seen and nothing contradicted itself.
  var isComplete: Bool {
    stream.lost == 0 && stream.tracker.unmatched == 0 && stream.tracker.crowdedOut == 0
      && stream.source.undecodable == 0 && unread == 0
  }

  /// - Parameter opening: what to say once all is attached, if anything.
  mutating func run(readExisting: Bool, opening: (borrowing LiveStream) -> String?) throws {
    try stream.start(readExisting: readExisting) { row, loss in sink.receive(&row, lossBefore: loss) }
    if sink.wantsExisting {
      stream.handOnExisting { row in sink.receive(&row, lossBefore: 0) }
    } else {
      stream.handOnExisting()
    }
    if let text = opening(stream) {
      Message.line(text)
      stream.tellShortfall()
    }
    loop.watch(stream.source.descriptor, events: EPOLLIN.rawValue | EPOLLET.rawValue)
    let deadline = duration.map { stream.attachedAt + $0 }
    var ending = false
    while !ending {
      for signal in loop.wait(milliseconds: timeout(until: deadline)) {
        if signal == SIGWINCH {
          sink.measureTerminal()
        } else {
          ending = true
          if signal == SIGINT { sink.interrupted() }
        }
      }
      if let deadline, KernelClock.monotonic() >= deadline { ending = true }
      if ending { stream.source.detach() }
      try turn(final: ending)
      if sink.isDone { ending = true }
    }
    try finish()
  }

  /// One round: events in, rows out, losses told.
  private mutating func turn(final: Bool) throws {
    // What a reader far behind doesn't take stays in the kernel, and is lost there when it gets too much.
    let isHeldUp = sink.isBackedUp && !final
    if !isHeldUp { stream.pump(final: final) { row, loss in sink.receive(&row, lossBefore: loss) } }
    stream.checkLosses(force: final)
    stream.tellNotices()
    losses.tell(total: stream.lost, skipped: stream.skipped, isHeldUp: isHeldUp)
    if !isHeldUp {
      if stream.needsTables, !final, losses.mayRead {
        try stream.readTables { row, loss in sink.receive(&row, lossBefore: loss) }
      }
      try stream.followSilent(final: final) { row, loss in sink.receive(&row, lossBefore: loss) }
    }
    try lookForPorts()
    sink.advance(to: now)
    try stream.flushRecorder()
    if try sink.flush() {
      loop.watch(sink.descriptor, events: EPOLLOUT.rawValue)
      isWaitingForReader = true
    } else if isWaitingForReader {
      loop.unwatch(sink.descriptor)
      isWaitingForReader = false
    }
  }

  /// On the rows' clock.
  private var now: UInt64 { KernelClock.monotonic() &+ stream.tracker.wallOffset }

  /// Rows that wait for a local port get it from the kernel's tables, if need be.
  private mutating func lookForPorts() throws {
    let now = now
    guard sink.waitsForPorts(now: now) else { return }
    try stream.source.readConnecting { snapshot, _ in
      sink.learnPort(snapshot.pointee.event.cookie, snapshot.pointee.event.local_port)
    }
    sink.learnedPorts(at: now)
  }

  private func timeout(until deadline: UInt64?) -> Int32 {
    let isHeldUp = sink.isBackedUp
    if stream.isBehind, !isHeldUp { return 0 }
    guard let next = [deadline, isHeldUp ? nil : stream.nextReading].compactMap({ $0 }).min() else { return Self.tick }
    let now = KernelClock.monotonic()
    return next <= now ? 0 : Int32(min(UInt64(Self.tick), (next - now) / 1_000_000 + 1))
  }

  private mutating func finish() throws {
    stream.source.detach()
    sink.finish()
    unread = try loop.drain(to: sink.descriptor) { try sink.flush() ? sink.waiting : 0 }
    if unread > 0 { Message.error(OutputFile.unread(unread)) }
    losses.tell(total: stream.lost, skipped: stream.skipped, now: true)
  }
}
