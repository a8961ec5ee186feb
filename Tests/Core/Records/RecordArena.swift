// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent
import TCPStateCore

/// Takes the place of the ring buffer: records that stay where they are, with their positions.
final class RecordArena {
  private var records: [UnsafeMutablePointer<tcpstate_event>] = []

  deinit { for record in records { record.deallocate() } }

  /// A record takes 256 bytes of the ring buffer.
  static func position(of index: Int) -> UInt64 { UInt64(index) * 256 }

  /// Appends a record to a queue, as the ring buffer's reader does.
  ///
  /// - Returns: where the record is.
  @discardableResult
  func append(_ event: tcpstate_event, to queue: EventQueue) -> UnsafePointer<tcpstate_event> {
    let record = UnsafeMutablePointer<tcpstate_event>.allocate(capacity: 1)
    record.initialize(to: event)
    queue.append(
      UnsafeRawBufferPointer(start: record, count: EventDecoder.eventSize), at: Self.position(of: records.count))
    records.append(record)
    return UnsafePointer(record)
  }
}
