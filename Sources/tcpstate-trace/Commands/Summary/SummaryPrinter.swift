// SPDX-License-Identifier: Apache-2.0
import Glibc
import TCPStateCore
import TCPStateKernel
import TCPStateReport

/// `summary`: counts, shows it on a terminal as it goes, and prints it at the end.
struct SummaryPrinter: ~Copyable, OutputSink {
  /// Nanoseconds between two pictures.
  private static let interval: UInt64 = 1_000_000_000

  private var summary: StaySummary
  private var view: SummaryView
  private let isRecording: Bool
  /// CLOCK_MONOTONIC, as of the latest round.
  private var now = KernelClock.monotonic()
  private var lastDrawn: UInt64 = 0
  private var lost: UInt64 = 0
  private let limit: UInt64?

  init(_ view: consuming SummaryView, _ summary: consuming StaySummary, limit: UInt64?, isRecording: Bool) {
    self.limit = limit
    self.isRecording = isRecording
    self.summary = summary
    self.view = view
  }

  var wantsExisting: Bool { true }
  var wantsReadings: Bool { false }
  var writesWhileReading: Bool { false }
  var descriptor: Int32 { view.descriptor }
  var isDone: Bool { view.isClosed || limit.map { summary.transitions >= $0 } ?? false }
  var waiting: Int { view.waiting }

  mutating func receive(_ row: inout Transition, lossBefore: UInt64) {
    lost.add(saturating: lossBefore)
    if isDone { return }
    if isRecording { summary.receive(row) } else { summary.receive(row, now: now) }
  }

  mutating func advance(to now: UInt64) {
    if !isRecording {
      self.now = KernelClock.monotonic()
      summary.endTimeWaits(now: self.now)
      summary.advance(to: now)
    }
    guard view.isLive, now &- lastDrawn >= Self.interval, view.isIdle else { return }
    lastDrawn = now
    view.draw(summary)
  }

  mutating func finish() { view.finish(summary) }
  mutating func flush() throws -> Bool { try view.flush() }
  mutating func interrupted() { view.interrupted() }
  mutating func measureTerminal() { view.resized() }

  mutating func closing(_ ending: RunEnding) -> ClosingText {
    Self.closing(ending, of: summary, lost: max(lost, ending.lost))
  }

  /// `9,120 transitions, 0 lost, 0 unmatched.`
  static func closing(_ ending: RunEnding, of summary: borrowing StaySummary, lost: UInt64) -> ClosingText {
    let time = ending.elapsed.map { " in \(DurationText.string($0))" } ?? ""
    var text = "\(NumberText.string(summary.transitions)) transitions\(time), \(NumberText.string(lost)) lost, "
    if ending.leftOut > 0 { text += "\(NumberText.string(ending.leftOut)) left out, " }
    text += "\(NumberText.string(ending.unmatched ?? summary.sockets.unmatched)) unmatched."
    if summary.tally.isOverLimit {
      text +=
        " More than \(NumberText.string(UInt64(summary.tally.limit))) groups: those that came later are in others."
    }
    return ClosingText(text: text + "\n", hasLosses: true)
  }
}
