// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// One output format of `report`, folded from rows and written as they arrive.
///
/// The text depends only on the rows, so a recording gives the same bytes as its live trace.
public protocol ReportDocument: ~Copyable {
  /// Appends the start of the document.
  mutating func begin(to buffer: inout ByteBuffer)

  /// Takes the next row, in the recording's order, and appends what is complete.
  ///
  /// A row whose two states are the same is a socket that was open before the start.
  ///
  /// - Parameter lossBefore: events lost right before this row.
  mutating func receive(_ row: Transition, lossBefore: UInt64, to buffer: inout ByteBuffer)

  /// Appends the rest, after the last row.
  mutating func finish(to buffer: inout ByteBuffer)

  /// The number of connections written so far.
  var count: UInt64 { get }
}
