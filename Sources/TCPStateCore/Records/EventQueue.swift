import CTCPStateEvent
import TCPStateCore

/// Events between the ring buffer and the tracker, in the order of their times.
///
/// Two CPUs take their timestamps before they reserve their records, so
/// neighbours can be swapped by some microseconds; an event is let go only when
/// none older can come any more. The records stay in the ring buffer.
final class EventQueue {
  /// More than come within the time that they are held back.
  static let capacity = 4096

  private struct Entry {
    let time: UInt64
    let event: UnsafePointer<tcpstate_event>
    /// Of the record in the ring buffer, which grows for ever.
    let position: UInt64
  }

  private let entries: UnsafeMutablePointer<Entry>
  /// Events that we had to change; as many as entries, so that none is used twice at a time.
  private let amended: UnsafeMutablePointer<tcpstate_event>
  private var amendedCount = 0
  private var head = 0
  private var tail = 0
  /// How many events don't know their socket yet.
  private var incomplete = 0
  /// Records that were no events.
  private(set) var undecodable: UInt64 = 0

  init() {
    entries = .allocate(capacity: Self.capacity)
    amended = .allocate(capacity: Self.capacity)
  }

  deinit {
    entries.deallocate()
    amended.deallocate()
  }

  /// How many more can be appended.
  var room: Int { Self.capacity - (tail - head) }

  /// Where the first record is that is still needed; `nil` when none is.
  var oldestPosition: UInt64? {
    guard head < tail else { return nil }
    var oldest = entries[head].position
    for index in head..<tail { oldest = min(oldest, entries[index].position) }
    return oldest
  }

  /// Takes one record in, for which there must be room; it is dropped and
  /// counted if it can't be decoded.
  ///
  /// - Parameter bytes: the record, aligned to 8 bytes, valid until it has been
  ///   handed on and `oldestPosition` is past it.
  func append(_ bytes: UnsafeRawBufferPointer, at position: UInt64) {
    do throws(DecodingFailure) {
      let event = try EventDecoder.borrowed(bytes)
      // For a minisock the reset is an event of its own.
      if event.pointee.kind == TCPSTATE_KIND_RESET_SENT, TCPState(number: event.pointee.state_new) == .closed {
        amendEnding(event)
        return
      }
      if tail == Self.capacity { compact() }
      let time = event.pointee.timestamp_ns
      var place = tail
      while place > head, entries[place - 1].time > time {
        entries[place] = entries[place - 1]
        place -= 1
      }
      entries[place] = Entry(time: time, event: event, position: position)
      tail += 1
      noteChild(event)
    } catch {
      undecodable += 1
    }
  }

  /// Notes at the transition to CLOSED that a RST of ours followed. It came microseconds before.
  private func amendEnding(_ reset: UnsafePointer<tcpstate_event>) {
    let socket = reset.pointee.socket_address
    for index in stride(from: tail - 1, through: max(head, tail - 64), by: -1) {
      let event = entries[index].event
      guard event.pointee.socket_address == socket, TCPState(number: event.pointee.state_new) == .closed else {
        continue
      }
      let own = own(index)
      own.pointee.flags |= UInt16(TCPSTATE_FLAG_RESET_SENT)
      own.pointee.reset_reason = reset.pointee.reset_reason
      return
    }
  }

  /// Counts a child's first event, and completes it by the second.
  @inline(__always)
  private func noteChild(_ event: UnsafePointer<tcpstate_event>) {
    if Self.isIncomplete(event) {
      incomplete += 1
    } else if incomplete > 0, event.pointee.state_old == TCPState.synReceived.number {
      for index in stride(from: tail - 1, through: head, by: -1)
      where entries[index].event.pointee.socket_address == event.pointee.socket_address
        && Self.isIncomplete(entries[index].event)
      {
        Self.complete(own(index), from: event.pointee)
        incomplete -= 1
        return
      }
    }
  }

  /// Puts a copy that may be changed in place of a record.
  private func own(_ index: Int) -> UnsafeMutablePointer<tcpstate_event> {
    let copy = amended + amendedCount % Self.capacity
    amendedCount += 1
    copy.pointee = entries[index].event.pointee
    entries[index] = Entry(time: entries[index].time, event: UnsafePointer(copy), position: entries[index].position)
    return copy
  }

  /// The oldest event if it is from `limit` or before; valid until the ring buffer is next consumed.
  @inline(__always)
  func next(until limit: UInt64) -> UnsafePointer<tcpstate_event>? {
    guard head < tail, entries[head].time <= limit else { return nil }
    if incomplete > 0, Self.isIncomplete(entries[head].event) {
      guard limit - entries[head].time > Self.patience else { return nil }
      incomplete -= 1
    }
    head += 1
    return entries[head - 1].event
  }

  /// The event that comes so many places after the next one, to prepare for it.
  @inline(__always)
  func peek(_ distance: Int) -> UnsafePointer<tcpstate_event>? {
    head + distance < tail ? entries[head + distance].event : nil
  }

  private func compact() {
    entries.update(from: entries + head, count: tail - head)
    tail -= head
    head = 0
  }
}
