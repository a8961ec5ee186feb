import CTCPStateEvent
import TCPStateCore

/// Events between the ring buffer and the tracker, in the order of their times.
///
/// Two CPUs take their timestamps before they reserve their records, so
/// neighbours can be swapped by some microseconds; an event is let go only when
/// none older can come any more.
final class EventQueue {
  /// A megabyte: what is appended is still cached when it is taken.
  static let capacity = 4096

  private let events: UnsafeMutablePointer<tcpstate_event>
  private var head = 0
  private var tail = 0
  /// How many events don't know their socket yet.
  private var incomplete = 0
  /// Records that were no events.
  private(set) var undecodable: UInt64 = 0

  init() {
    events = .allocate(capacity: Self.capacity)
  }

  deinit { events.deallocate() }

  var isFull: Bool { tail >= Self.capacity }
  var isEmpty: Bool { head == tail }

  /// Copies one record in, for which there must be room; it is dropped and
  /// counted if it can't be decoded.
  func append(_ bytes: UnsafeRawBufferPointer) {
    do throws(DecodingFailure) {
      precondition(!isFull)
      let event = try EventDecoder.event(bytes)
      // For a minisock the reset is an event of its own.
      if event.kind == TCPSTATE_KIND_RESET_SENT, TCPState(number: event.state_new) == .closed {
        amendEnding(event.socket_address)
        return
      }
      var place = tail
      while place > head, events[place - 1].timestamp_ns > event.timestamp_ns {
        (events + place).update(from: events + place - 1, count: 1)
        place -= 1
      }
      events[place] = event
      tail += 1
      noteChild(event, at: events + place)
    } catch {
      undecodable += 1
    }
  }

  /// Notes at the transition to CLOSED that a RST of ours followed. It came microseconds before.
  private func amendEnding(_ socket: UInt64) {
    for index in stride(from: tail - 1, through: max(head, tail - 64), by: -1)
    where events[index].socket_address == socket && TCPState(number: events[index].state_new) == .closed {
      events[index].flags |= UInt16(TCPSTATE_FLAG_RESET_SENT)
      return
    }
  }

  /// Counts a child's first event, and completes it by the second.
  @inline(__always)
  private func noteChild(_ event: tcpstate_event, at place: UnsafeMutablePointer<tcpstate_event>) {
    if Self.isIncomplete(place) {
      incomplete += 1
    } else if incomplete > 0, event.state_old == TCPState.synReceived.number {
      for index in stride(from: tail - 1, through: head, by: -1)
      where events[index].socket_address == event.socket_address && Self.isIncomplete(events + index) {
        Self.complete(events + index, from: event)
        incomplete -= 1
        return
      }
    }
  }

  /// The oldest event if it is from `limit` or before; valid until the next call.
  func next(until limit: UInt64) -> UnsafePointer<tcpstate_event>? {
    guard head < tail, events[head].timestamp_ns <= limit else { return nil }
    if incomplete > 0, Self.isIncomplete(events + head) {
      guard limit - events[head].timestamp_ns > Self.patience else { return nil }
      incomplete -= 1
    }
    head += 1
    return UnsafePointer(events + head - 1)
  }

  /// Makes room at the end.
  func compact() {
    if head > 0 {
      if tail > head { events.update(from: events + head, count: tail - head) }
      tail -= head
      head = 0
    }
  }
}
