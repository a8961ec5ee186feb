// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent
import TCPStateCore
import TCPStateKernel

/// From the ring buffer to transitions.
extension LiveStream {
  /// How long records that are still being written are waited for at the end.
  private static let lastWriting: UInt64 = 1_000_000_000
  /// Bytes in the ring buffer that aren't left for the next turn.
  private static let largeBacklog: UInt64 = 256 * 1024

  /// Takes over what the ring buffer holds now.
  ///
  /// - Parameter isFinal: nothing follows, so nothing is held back for order's sake.
  mutating func pump(isFinal: Bool = false, _ receive: Receive) {
    let limit = isFinal ? UInt64.max : KernelClock.monotonic() - Self.reorderWindow
    let position = source.position
    take(until: position, limit, receive)
    if isFinal { takeUnwritten(receive) }
    appliedUntil = isFinal ? KernelClock.monotonic() : limit
    if source.position - position > Self.largeBacklog { isBehind = true }
  }

  private mutating func take(until position: UInt64, _ limit: UInt64, _ receive: Receive) {
    var applied = true
    isBehind = true
    while isBehind, applied {
      isBehind = source.consume(until: position)
      applied = apply(until: limit, receive)
    }
  }

  /// What was begun before the detaching may still be written by a CPU that the host has taken away.
  private mutating func takeUnwritten(_ receive: Receive) {
    let deadline = KernelClock.monotonic() + Self.lastWriting
    while source.hasUnread, KernelClock.monotonic() < deadline {
      KernelClock.sleep(nanoseconds: 100_000)
      take(until: source.position, .max, receive)
    }
  }

  /// - Returns: whether there were any.
  @inline(__always)
  private mutating func apply(until limit: UInt64, _ receive: Receive) -> Bool {
    var applied = false
    let row = row.pointer
    let ports = configuration.kernel.filter.localPorts ?? configuration.kernel.filter.eitherPorts
    let isEither = configuration.kernel.filter.localPorts == nil
    while let event = source.nextEvent(until: limit) {
      // These are far enough ahead for the memory to have answered by then.
      if let coming = source.peek(12) { tracker.prefetchIndex(for: coming) }
      if let coming = source.peek(6) { tracker.prefetchConnection(for: coming) }
      let loss = source.lossesBefore(event)
      if loss > 0 { noteLoss(loss, at: event.pointee.timestamp_ns) }
      lastEvent = event.pointee.timestamp_ns
      if tracker.apply(event, to: &row.pointee) {
        emit(receive)
        // connect() chose its port late, and it isn't one of those that the kernel goes on reporting.
        if row.pointee.old == .synSent, let ports, !ports.contains(row.pointee.local.port),
          !isEither || !ports.contains(row.pointee.peer.port)
        {
          tracker.forget(event)
        }
      }
      if let reused = tracker.takeReused() {
        tracker.concludeReused(at: reused.time, reused.key, isExact: reused.isExact, to: &row.pointee)
        emit(receive)
      }
      applied = true
    }
    return applied
  }

  @inline(__always)
  mutating func emit(_ receive: Receive) {
    transitions += 1
    let (row, loss) = (row.pointer, lossBefore)
    lossBefore = 0
    receive(&row.pointee, loss)
  }
}
