// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import TCPStateCore
import TCPStateKernel
import TCPStateLive
import TCPStateReport

/// `summary --in-kernel`: nothing but counters is read, however many connections there are.
struct AggregateSession: ~Copyable, Activity {
  /// Milliseconds between two pictures.
  private static let tick: Int32 = 1000

  private let source: KernelSource
  private var view: SummaryView
  private var summary = StaySummary(keys: [], filter: RowFilter())
  private var stays = AggregatedStays()
  private var skipped: UInt64 = 0
  private(set) var attachedAt: UInt64 = 0
  /// Sockets that were there before, by `TCPState.number`.
  private var before = [OpenStays](repeating: OpenStays(), count: TCPState.arraySize)

  init(_ source: KernelSource, view: consuming SummaryView) {
    self.source = source
    self.view = view
  }

  mutating func start() throws {
    try source.attach()
    attachedAt = KernelClock.monotonic()
    before = try openSockets()
    Message.report(source.failedAttachments.map { .attachmentFailed($0) } + source.dropUnneededCapabilities())
    Confinement.filterTracing()
    Message.line(OpeningLine.text(open: before.map(\.count)))
  }

  func timeout() -> Int32 { Self.tick }

  mutating func round(_ loop: borrowing EventLoop, isLast: Bool) throws {
    if isLast { source.detach() }
    stays = try source.readAggregate()
    skipped += source.unreportedSkips()
    // The tables know what is open; in between, what has been opened and closed since the start does.
    let open = isLast ? try openSockets() : nil
    let openNow = (0..<TCPState.arraySize).map { number in
      if let open { return open[number] }
      var counted = OpenStays()
      let opened = stays[TCPState(number: UInt8(number))].opened
      counted.count = UInt64(max(0, Int64(before[number].count) + opened))
      return counted
    }
    summary = StaySummary(stays, open: openNow)
    if view.isLive, view.isIdle { view.draw(summary) }
    _ = try view.flush()
  }

  mutating func resized() { view.resized() }
  mutating func interrupted() { view.interrupted() }
  var isDone: Bool { view.isClosed }

  mutating func finish(_ loop: borrowing EventLoop) throws -> (RunEnding, ClosingText) {
    view.finish(summary)
    let unread = try loop.drain(to: view.descriptor) { try view.flush() ? view.waiting : 0 }
    if unread > 0 { Message.error(OutputFile.unread(unread)) }
    let ending = RunEnding(
      transitions: summary.transitions, lost: skipped, unmatched: stays.unmatched, crowdedOut: stays.untracked,
      isConfined: source.isConfined, unreached: source.unreached.count, unread: unread,
      elapsed: KernelClock.monotonic() - attachedAt)
    var closing = SummaryPrinter.closing(ending, of: summary, lost: skipped)
    closing.text.removeLast()
    if stays.untracked > 0 {
      closing.text += " \(NumberText.string(stays.untracked)) sockets were more than could be remembered."
    }
    if stays.minisocks > 0 {
      let isOne = stays.minisocks == 1
      closing.text +=
        " \(NumberText.string(stays.minisocks)) orphan\(isOne ? "" : "s") went on in FIN-WAIT-2 unseen: "
        + (isOne ? "its stay is a lower bound." : "their stays are lower bounds.")
    }
    closing.text += "\n"
    return (ending, closing)
  }

  /// The tables' sockets, with the least age that they show; a socket's entry into its state isn't read back.
  private func openSockets() throws -> [OpenStays] {
    var open = [OpenStays](repeating: OpenStays(), count: TCPState.arraySize)
    try source.readSockets(namespaces: source.namespaces()) { snapshot, _ in
      let state = TCPState(number: snapshot.pointee.event.state_new)
      guard state.isKnown else { return }
      let ticks = KernelClock.ticksPerSecond(snapshot.pointee)
      let age = SnapshotAge.least(snapshot, ticksPerSecond: ticks)
      open[Int(state.number)].add(age > 0 ? Stay(nanoseconds: age, kind: .atLeast) : nil)
    }
    return open
  }
}
