import CLinux
import Glibc
import TCPStateCore
import TCPStateKernel
import TCPStateReport

/// `summary --in-kernel`: nothing but counters is read, however many connections there are.
struct AggregateSession: ~Copyable {
  /// Milliseconds between two pictures.
  private static let tick: UInt64 = 1000

  private let loop: EventLoop
  private let source: KernelSource
  private var printer: SummaryPrinter
  private let duration: UInt64?
  private var stays = AggregatedStays()
  private var skipped: UInt64 = 0
  private var attachedAt: UInt64 = 0
  /// Sockets that were there before, by `TCPState.number`.
  private var before = [UInt64](repeating: 0, count: TCPState.arraySize)

  init(loop: consuming EventLoop, source: KernelSource, printer: consuming SummaryPrinter, duration: UInt64?) {
    self.loop = loop
    self.source = source
    self.printer = printer
    self.duration = duration
  }

  /// Whether all was seen and nothing contradicted itself.
  var isComplete: Bool { skipped == 0 && stays.unmatched == 0 && stays.untracked == 0 }

  mutating func run() throws {
    try source.attach()
    attachedAt = KernelClock.monotonic()
    before = try openSockets()
    Rights.giveUp(source)
    Message.line(OpeningLine.text(open: before))
    let deadline = duration.map { attachedAt + $0 }
    var ending = false
    while !ending {
      for signal in loop.wait(milliseconds: timeout(until: deadline)) {
        if signal == SIGWINCH {
          printer.measureTerminal()
        } else {
          ending = true
          if signal == SIGINT { printer.interrupted() }
        }
      }
      if let deadline, KernelClock.monotonic() >= deadline { ending = true }
      if ending { source.detach() }
      try count(final: ending)
      if printer.isDone { ending = true }
    }
    printer.finish()
    while try printer.flush() { printer.waitForReader() }
    Message.line(closingText)
  }

  private func timeout(until deadline: UInt64?) -> Int32 {
    guard let deadline else { return Int32(Self.tick) }
    let now = KernelClock.monotonic()
    return deadline <= now ? 0 : Int32(min(Self.tick, (deadline - now) / 1_000_000 + 1))
  }

  private mutating func count(final: Bool) throws {
    stays = try source.readAggregate()
    skipped += source.unreportedSkips()
    // The tables tell what is open; between, what has been opened and closed since the start does.
    let open = final ? try openSockets() : nil
    let openNow = (0..<TCPState.arraySize).map { number in
      open?[number] ?? UInt64(max(0, Int64(before[number]) + stays[TCPState(number: UInt8(number))].opened))
    }
    printer.adopt(StaySummary(stays, openNow: openNow), lost: skipped)
    printer.advance(to: KernelClock.monotonic())
    _ = try printer.flush()
  }

  private func openSockets() throws -> [UInt64] {
    var counts = [UInt64](repeating: 0, count: TCPState.arraySize)
    try source.readSockets(namespaces: source.namespaces()) { snapshot, _ in
      let state = TCPState(number: snapshot.pointee.event.state_new)
      if state.isKnown { counts[Int(state.number)] += 1 }
    }
    return counts
  }

  private var closingText: String {
    let elapsed = KernelClock.monotonic() - attachedAt
    var text = printer.closingText(unmatched: stays.unmatched, elapsed: elapsed)
    if stays.untracked > 0 {
      text += " \(NumberText.string(stays.untracked)) sockets were more than could be remembered."
    }
    if stays.minisocks > 0 {
      text += " Of \(NumberText.string(stays.minisocks)) orphans FIN-WAIT-2's end wasn't seen."
    }
    return text
  }
}
