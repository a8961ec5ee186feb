import CLinux
import Glibc
import TCPStateCore
import TCPStateKernel
import TCPStateReport

/// `trace` from attach to the closing table, on one thread.
struct TraceSession: ~Copyable {
  /// Rows must not be older than 100 ms when they are seen.
  private static let tick: Int32 = 70

  private let loop: EventLoop
  private var stream: LiveStream
  private var printer: TracePrinter
  private let limits: TracingOptions.Limits
  private var losses = LossReport()
  private var isWaitingForReader = false

  init(
    loop: consuming EventLoop, stream: consuming LiveStream, printer: consuming TracePrinter,
    limits: TracingOptions.Limits
  ) {
    self.loop = loop
    self.stream = stream
    self.printer = printer
    self.limits = limits
  }

  /// Whether all was seen and nothing contradicted itself.
  var isComplete: Bool {
    stream.lost == 0 && stream.tracker.unmatched == 0 && stream.source.undecodable == 0
  }

  mutating func run(readExisting: Bool) throws {
    printer.begin()
    try stream.start(readExisting: readExisting) { row, loss in printer.receive(&row, lossBefore: loss) }
    Message.line(openingLine(readExisting: readExisting))
    loop.watch(stream.source.descriptor, events: EPOLLIN.rawValue)

    let deadline = limits.duration.map { stream.attachedAt + $0 }
    var ending = false
    while !ending {
      for signal in loop.wait(milliseconds: timeout(until: deadline)) {
        if signal == SIGWINCH {
          printer.measureTerminal()
        } else {
          ending = true
          if signal == SIGINT, isatty(2) == 1 { Message.line("") }  // the terminal has shown ^C
        }
      }
      if let deadline, KernelClock.monotonic() >= deadline { ending = true }
      if ending { stream.source.detach() }
      try turn(final: ending)
      if printer.isDone { ending = true }
    }
    try finish()
  }

  /// One round: events in, rows out, losses told.
  private mutating func turn(final: Bool) throws {
    if !printer.isBackedUp || final {
      stream.pump(final: final) { row, loss in printer.receive(&row, lossBefore: loss) }
    }
    stream.checkLosses(force: final)
    losses.tell(total: stream.lost, skipped: stream.skipped)
    if stream.needsTables, !final, losses.mayRead {
      try stream.readTables { row, loss in printer.receive(&row, lossBefore: loss) }
    }
    try stream.followSilent(final: final) { row, loss in printer.receive(&row, lossBefore: loss) }
    try lookForPorts()
    if try printer.flush(transitions: stream.transitions, lost: stream.lost) {
      loop.watch(printer.descriptor, events: EPOLLOUT.rawValue)
      isWaitingForReader = true
    } else if isWaitingForReader {
      loop.unwatch(printer.descriptor)
      isWaitingForReader = false
    }
  }

  /// Rows that wait for a local port get it from the kernel's tables, if need be.
  private mutating func lookForPorts() throws {
    let now = KernelClock.monotonic() &+ stream.tracker.wallOffset
    guard printer.waitsForPorts(now: now) else { return }
    try stream.source.readConnecting { snapshot in
      printer.learnPort(snapshot.pointee.event.cookie, snapshot.pointee.event.local_port)
    }
    printer.learnedPorts(at: now)
  }

  private func timeout(until deadline: UInt64?) -> Int32 {
    guard let next = [deadline, stream.nextReading].compactMap({ $0 }).min() else { return Self.tick }
    let now = KernelClock.monotonic()
    return next <= now ? 0 : Int32(min(UInt64(Self.tick), (next - now) / 1_000_000 + 1))
  }

  /// The last rows, then the closing table.
  private mutating func finish() throws {
    stream.source.detach()
    // A reader that has stopped reading is given some time, or until Ctrl-C again.
    var patience = 100
    while try printer.flush(transitions: stream.transitions, lost: stream.lost), patience > 0 {
      loop.watch(printer.descriptor, events: EPOLLOUT.rawValue)
      if !loop.wait(milliseconds: Self.tick).isEmpty { break }
      patience -= 1
    }
    losses.tell(total: stream.lost, skipped: stream.skipped, now: true)
    Message.write(
      printer.closingText(
        tracker: stream.tracker, transitions: stream.transitions, lost: stream.lost,
        undecodable: stream.source.undecodable, elapsed: KernelClock.monotonic() - stream.attachedAt))
  }

  private func openingLine(readExisting: Bool) -> String {
    var line = "Tracing TCP on Linux \(Self.kernelVersion)."
    if readExisting, stream.source.canReadTables {
      var connections: UInt64 = 0
      for state in TCPState.all where state != .listen { connections += stream.tracker.openCount(state) }
      let listeners = stream.tracker.openCount(.listen)
      line += " Open before: \(Self.count(connections, "connection")), \(Self.count(listeners, "listener"))."
    } else if readExisting {
      line += " This kernel doesn't tell which sockets are open already."
    }
    return line + " Ctrl-C ends."
  }

  private static func count(_ number: UInt64, _ noun: String) -> String {
    "\(NumberText.string(number)) \(noun)\(number == 1 ? "" : "s")"
  }

  private static var kernelVersion: String {
    var name = utsname()
    uname(&name)
    let release = withUnsafePointer(to: &name.release) {
      $0.withMemoryRebound(to: CChar.self, capacity: 65) { String(cString: $0) }
    }
    return release.split(separator: ".").prefix(2).joined(separator: ".")
  }
}
