// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TCPStateReport

/// Writes the rows that a live command sees into a file, in all columns, for `--read`.
///
/// It begins with the sockets that were open at the start. What is read back is what the command
/// has seen, in the same order, so a fold over it gives the same.
struct Recorder: ~Copyable {
  private var file: OutputFile
  private var csv = CSVWriter(columns: Column.allCases)
  private var sequence: UInt64 = 0
  private var failure: Failure?

  init(path: String, appends: Bool) throws(Failure) {
    var header = ByteBuffer(capacity: 2048)
    csv.appendHeader(to: &header)
    file = try Self.open(path, appends, header)
  }

  private static func open(
    _ path: String, _ appends: Bool, _ header: borrowing ByteBuffer
  ) throws(Failure) -> OutputFile {
    var file = try OutputFile(path: path, appends: appends)
    try file.appendHeader(header)
    return file
  }

  /// - Parameter lossBefore: events lost right before it: a gap in the sequence.
  mutating func receive(_ row: inout Transition, lossBefore: UInt64) {
    sequence += lossBefore + 1
    row.sequence = sequence
    withUnsafePointer(to: &row) { csv.append($0, to: &file.pending) }
    guard file.isFullBlock, failure == nil else { return }
    do throws(Failure) {
      try file.writeBlock()
    } catch {
      failure = error
    }
  }

  /// Ends it, with a row that shows what was lost after the last one.
  mutating func finish(lossAfter loss: UInt64, at time: UInt64) throws {
    if loss > 0 {
      var marker = Transition.lossMarker(time: time, sequence: 0)
      receive(&marker, lossBefore: loss)
    }
    try flush()
  }

  /// Writes what there is, but never waits: a pipe that nobody reads fails as a disk that is full.
  mutating func flush() throws {
    if let failure { throw failure }
    if try file.flush(), file.waiting > OutputFile.highWater {
      throw Failure(
        .outputFailed, "can't write to \(file.name): its reader is \(OutputFile.highWater >> 20) MB behind")
    }
  }
}
