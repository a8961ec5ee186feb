// SPDX-License-Identifier: Apache-2.0
import Glibc
import TCPStateCore
import TCPStateKernel
import TCPStateReport

/// What `trace` says at its end: a table of stays per state, what is stuck, and
/// whether anything was missed.
struct ClosingReport {
  /// From how long on a socket in CLOSE-WAIT is worth a word.
  private static let stuckAfter: UInt64 = 60_000_000_000
  /// How many of them are listed.
  private static let listed = 10

  var transitions: UInt64
  var shown: UInt64
  var lost: UInt64
  /// Lines of a recording that couldn't be read.
  var leftOut: UInt64 = 0
  var undecodable: UInt64 = 0
  /// Nanoseconds since the tracer was attached, or from a recording's first row to its last; `nil` if unknown.
  var elapsed: UInt64?

  /// Columns of the terminal that standard error is; `nil` if it isn't one.
  private let terminal = isatty(2) == 1 ? Terminal.width(of: 2) : nil

  private struct Stuck {
    let age: Stay
    let cells: [String]
  }

  func text(
    _ statistics: borrowing StateStatistics, _ tracker: borrowing ConnectionTracker, filter: RowFilter, glyphs: Glyphs
  ) -> String {
    var openNow = [UInt64](repeating: 0, count: TCPState.arraySize)
    var stuck: [Stuck] = []
    // Next to an age and an owner.
    let end = terminal.map { max(14, ($0 - 34) / 2) } ?? .max
    tracker.forEachOpen(now: KernelClock.monotonic()) { row in
      guard filter.wants(row), row.new.isKnown else { return }
      openNow[Int(row.new.number)] += 1
      if row.new == .closeWait, let age = row.stay, age.nanoseconds >= Self.stuckAfter {
        stuck.append(
          Stuck(
            age: age,
            cells: [
              DurationText.string(age.nanoseconds, kind: age.kind, glyphs: glyphs),
              OwnerText.string(
                name: row.ownerName, pid: row.ownerPID, kind: row.ownerKind, fitting: terminal == nil ? .max : 16,
                glyphs: glyphs),
              EndpointText.string(row.local, fitting: end, glyphs: glyphs),
              EndpointText.string(row.peer, fitting: end, glyphs: glyphs),
            ]))
      }
    }
    var buffer = ByteBuffer(capacity: 4096)
    append(statistics, openNow: openNow, unmatched: tracker.unmatched, glyphs: glyphs, to: &buffer)
    list(stuck, to: &buffer)
    return buffer.text
  }

  /// Of a recording.
  func text(_ statistics: borrowing StateStatistics, _ sockets: borrowing OpenSockets, glyphs: Glyphs) -> String {
    var buffer = ByteBuffer(capacity: 4096)
    append(statistics, openNow: sockets.counts(), unmatched: sockets.unmatched, glyphs: glyphs, to: &buffer)
    return buffer.text
  }

  /// - Parameter openNow: by `TCPState.number`.
  private func append(
    _ statistics: borrowing StateStatistics, openNow: [UInt64], unmatched: UInt64, glyphs: Glyphs,
    to buffer: inout ByteBuffer
  ) {
    var summaries: [StateSummary] = []
    for state in TCPState.all where state != .closed {
      let summary = statistics.summary(of: state, openNow: openNow[Int(state.number)])
      if summary.stays > 0 || summary.openNow > 0 { summaries.append(summary) }
    }
    if !summaries.isEmpty {
      StateSummaryTable(summaries, style: TableStyle(width: terminal, glyphs: glyphs)).append(to: &buffer)
    }
    buffer.append(completeness(unmatched: unmatched))
  }

  private func completeness(unmatched: UInt64) -> String {
    var text = "\(NumberText.string(transitions)) transitions"
    text += elapsed.map { " in \(DurationText.string($0)), " } ?? ", "
    text += "\(NumberText.string(lost)) lost, "
    if leftOut > 0 { text += "\(NumberText.string(leftOut)) left out, " }
    text += "\(NumberText.string(unmatched)) unmatched"
    if shown != transitions { text += ", \(NumberText.string(shown)) shown" }
    if undecodable > 0 { text += ", \(NumberText.string(undecodable)) undecodable" }
    return text + ".\n"
  }

  private func list(_ stuck: [Stuck], to buffer: inout ByteBuffer) {
    guard !stuck.isEmpty else { return }
    buffer.append(
      stuck.count == 1
        ? "1 socket has been in CLOSE-WAIT for over a minute: its peer has closed, its owner has not.\n"
        : "\(NumberText.string(UInt64(stuck.count))) sockets have been in CLOSE-WAIT for over a minute: their peers have closed, their owners have not.\n"
    )
    var table = TextTable([("AGE", .right), ("OWNER", .left), ("LOCAL", .left), ("PEER", .left)])
    for entry in stuck.sorted(by: { $0.age.nanoseconds > $1.age.nanoseconds }).prefix(Self.listed) {
      table.add(entry.cells)
    }
    table.append(to: &buffer)
    if stuck.count > Self.listed { buffer.append("and \(NumberText.string(UInt64(stuck.count - Self.listed))) more\n") }
    buffer.append("Why, and what to do: sudo tcpstate-trace stuck\n")
  }
}
