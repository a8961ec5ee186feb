// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent

/// Events between the ring buffer and the tracker, put in the order of their times.
///
/// A CPU takes a timestamp before it reserves its record, so neighbours from two CPUs can be swapped by some
/// microseconds. An event is handed on only when no older one can come any more. The records stay in the ring
/// buffer. One thread uses a queue.
public final class EventQueue {
  /// More events than arrive while one is held back.
  public static let capacity = 4096

  @usableFromInline
  struct Entry {
    @usableFromInline let time: UInt64
    @usableFromInline let event: UnsafePointer<tcpstate_event>
    /// Of the record in the ring buffer; it only ever grows.
    let position: UInt64
  }

  @usableFromInline let entries: UnsafeMutablePointer<Entry>
  /// Copies of events that had to be changed; as many as entries, so that none is in use twice.
  private let amended: UnsafeMutablePointer<tcpstate_event>
  private var amendedCount = 0
  // Unchecked, because inlined into another module they would be checked at run time, eight times an event.
  @exclusivity(unchecked) @usableFromInline var head = 0
  @exclusivity(unchecked) @usableFromInline var tail = 0
  /// How many entries are children's first events that still lack the child's own fields.
  @exclusivity(unchecked) @usableFromInline var incomplete = 0
  /// Records that couldn't be decoded.
  public private(set) var undecodable: UInt64 = 0

  public init() {
    entries = .allocate(capacity: Self.capacity)
    amended = .allocate(capacity: Self.capacity)
  }

  deinit {
    entries.deallocate()
    amended.deallocate()
  }

  /// How many more can be appended.
  public var room: Int { Self.capacity - (tail - head) }

  /// The lowest position of a record that is still needed; `nil` if none is.
  public var oldestPosition: UInt64? {
    guard head < tail else { return nil }
    var oldest = entries[head].position
    for index in head..<tail { oldest = min(oldest, entries[index].position) }
    return oldest
  }

  /// Takes in one record, for which there has to be room. One that can't be decoded is dropped and counted.
  ///
  /// - Parameters:
  ///   - bytes: the record, aligned to 8 bytes, valid until it has been handed on and `oldestPosition` is past it.
  ///   - position: where it begins in the ring buffer.
  public func append(_ bytes: UnsafeRawBufferPointer, at position: UInt64) {
    do throws(DecodingFailure) {
      let event = try EventDecoder.borrowed(bytes)
      // A minisock's reset is an event of its own.
      if event.pointee.kind == TCPSTATE_KIND_RESET_SENT, EventRecord(event).new == .closed {
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

  /// Adds a RST that we sent to the transition to CLOSED, which came microseconds before it.
  private func amendEnding(_ reset: UnsafePointer<tcpstate_event>) {
    let socket = reset.pointee.socket_address
    for index in stride(from: tail - 1, through: max(head, tail - 64), by: -1) {
      let event = entries[index].event
      guard event.pointee.socket_address == socket, EventRecord(event).new == .closed else { continue }
      let own = own(index)
      own.pointee.flags |= UInt16(TCPSTATE_FLAG_RESET_SENT)
      own.pointee.reset_reason = reset.pointee.reset_reason
      return
    }
  }

  /// Counts a child's first event, and completes it with the second.
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

  /// Replaces a record with a copy that may be changed.
  private func own(_ index: Int) -> UnsafeMutablePointer<tcpstate_event> {
    let copy = amended + amendedCount % Self.capacity
    amendedCount += 1
    copy.pointee = entries[index].event.pointee
    entries[index] = Entry(time: entries[index].time, event: UnsafePointer(copy), position: entries[index].position)
    return copy
  }

  /// Hands on the oldest event if it isn't newer than `limit` (CLOCK_MONOTONIC nanoseconds).
  ///
  /// - Returns: the event, valid until its memory is given back: see `oldestPosition`.
  // Inlinable, as `peek` is: it runs for each event, in another module.
  @inlinable @inline(__always)
  public func next(until limit: UInt64) -> UnsafePointer<tcpstate_event>? {
    guard head < tail, entries[head].time <= limit else { return nil }
    if incomplete > 0, Self.isIncomplete(entries[head].event) {
      guard limit - entries[head].time > Self.patience else { return nil }
      incomplete -= 1
    }
    head += 1
    return entries[head - 1].event
  }

  /// The event so many places after the next one, to prepare for it; `nil` if there is none yet.
  @inlinable @inline(__always)
  public func peek(_ distance: Int) -> UnsafePointer<tcpstate_event>? {
    head + distance < tail ? entries[head + distance].event : nil
  }

  private func compact() {
    entries.update(from: entries + head, count: tail - head)
    tail -= head
    head = 0
  }
}
