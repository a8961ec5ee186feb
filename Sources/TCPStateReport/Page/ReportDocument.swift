import TCPStateCore

/// What `report` writes: one format, folded from rows as they come and written as it goes.
///
/// The text depends on nothing but the rows, so a recording gives the bytes that its live trace gave.
public protocol ReportDocument: ~Copyable {
  /// Appends what comes before everything else.
  mutating func begin(to buffer: inout ByteBuffer)

  /// Takes in the next row, in the order of the recording, and appends what can be written by now.
  ///
  /// A row whose states are the same found a socket from before the start.
  ///
  /// - Parameter lossBefore: events lost right before it.
  mutating func receive(_ row: Transition, lossBefore: UInt64, to buffer: inout ByteBuffer)

  /// Nothing more comes: appends the rest.
  mutating func finish(to buffer: inout ByteBuffer)

  /// Connections written so far.
  var count: UInt64 { get }
}
