// SPDX-License-Identifier: Apache-2.0
import Glibc
import TCPStateCore
import TCPStateReport

/// One piece of a recording: what its rows say about which sockets are open, and whether its rows are all there.
struct RecordingPiece: Sendable {
  /// Of the bytes read as rows.
  var start: UInt64 = 0
  var end: UInt64 = 0
  /// Of the first and the last row, and the events lost between these.
  var firstSequence: UInt64 = 0
  var lastSequence: UInt64 = 0
  var lost: UInt64 = 0
  var lines: UInt64 = 0
  var rows: UInt64 = 0
  var wasCut = false
  /// Who has read it, and that one's groups that are new with it.
  var worker = 0
  var newGroups: [SummaryGroup] = []
  var steps: [SocketStep] = []

  /// Takes in that there is a row.
  @inline(__always)
  mutating func note(sequence: UInt64) {
    if rows == 0 {
      firstSequence = sequence
    } else {
      lost.add(saturating: lastSequence.gap(to: sequence))
    }
    lastSequence = sequence
    rows += 1
  }
}

/// Pieces put together again, in the order of the file.
struct RecordingWhole: ~Copyable {
  var summary: StaySummary
  /// Where the next piece must begin.
  private(set) var end: UInt64
  private(set) var lost: UInt64 = 0
  private(set) var lines: UInt64 = 1
  private(set) var rows: UInt64 = 0
  private(set) var wasCut = false
  private var sequence: UInt64 = 0
  /// By worker: the whole's number of each of its groups.
  private var groups: [[Int32]]

  /// - Parameter start: where the first row begins.
  init(_ summary: consuming StaySummary, start: UInt64, workers: Int) {
    groups = Array(repeating: [StayTally.other], count: workers)
    end = start
    self.summary = summary
  }

  /// - Returns: false if the piece doesn't begin where the last one has ended.
  mutating func append(_ piece: borrowing RecordingPiece) -> Bool {
    guard piece.start == end else { return false }
    end = piece.end
    for group in piece.newGroups { groups[piece.worker].append(summary.number(of: group)) }
    summary.apply(piece.steps, groups: groups[piece.worker])
    lost.add(saturating: piece.lost)
    lost.add(saturating: sequence.gap(to: piece.firstSequence))
    if piece.rows > 0 { sequence = piece.lastSequence }
    lines += piece.lines
    rows += piece.rows
    wasCut = piece.wasCut
    return true
  }
}
