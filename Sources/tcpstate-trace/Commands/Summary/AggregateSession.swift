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
  private var before = [UInt64](repeating: 0, count: TCPState.arraySize)

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
    Message.line(OpeningLine.text(open: before))
  }

  func timeout() -> Int32 { Self.tick }

  mutating func round(_ loop: borrowing EventLoop, isLast: Bool) throws {
    if isLast { source.detach() }
    stays = try source.readAggregate()
    skipped += source.unreportedSkips()
    // The tables know what is open; in between, what has been opened and closed since the start does.
    let open = isLast ? try openSockets() : nil
    let openNow = (0..<TCPState.arraySize).map { number in
      open?[number] ?? UInt64(max(0, Int64(before[number]) + stays[TCPState(number: UInt8(number))].opened))
    }
    summary = StaySummary(stays, openNow: openNow)
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
      unread: unread,
      elapsed: KernelClock.monotonic() - attachedAt)
    var closing = SummaryPrinter.closing(ending, of: summary, lost: skipped)
    closing.text.removeLast()
    if stays.untracked > 0 {
      closing.text += " \(NumberText.string(stays.untracked)) sockets were more than could be remembered."
    }
    if stays.minisocks > 0 {
      closing.text += " Of \(NumberText.string(stays.minisocks)) orphans FIN-WAIT-2's end wasn't seen."
    }
    closing.text += "\n"
    return (ending, closing)
  }

  private func openSockets() throws -> [UInt64] {
    var counts = [UInt64](repeating: 0, count: TCPState.arraySize)
    try source.readSockets(namespaces: source.namespaces()) { snapshot, _ in
      let state = TCPState(number: snapshot.pointee.event.state_new)
      if state.isKnown { counts[Int(state.number)] += 1 }
    }
    return counts
  }
}
