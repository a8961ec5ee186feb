// SPDX-License-Identifier: Apache-2.0
import CLinux
import CTCPStateEvent
import Glibc
import TCPStateCore
import TestSupport
import Testing

@testable import TCPStateKernel

/// A ring buffer as the kernel lays it out (kernel/bpf/ringbuf.c), in a file of our own: a page that the reader
/// writes, a page that the kernel writes, and the data twice in a row.
private final class RingFile {
  let descriptor: Int32
  let size: Int
  private let page = sysconf(Int32(_SC_PAGESIZE))
  private(set) var written: UInt64 = 0

  /// - Parameter start: how far the buffer has been used already.
  init(size: Int, start: UInt64 = 0) throws {
    self.size = size
    descriptor = memfd_create("ring", 0)
    try #require(descriptor >= 0 && ftruncate(descriptor, 2 * page + 2 * size) == 0)
    put(start, at: 0)
    advance(to: start)
  }

  deinit { close(descriptor) }

  private func put<T>(_ value: T, at offset: Int) {
    _ = withUnsafeBytes(of: value) { pwrite(descriptor, $0.baseAddress, $0.count, offset) }
  }

  private func advance(to position: UInt64) {
    written = position
    put(position, at: page)
  }

  /// Into both copies of the data; a record that passes the end continues at the beginning.
  private func put(_ bytes: [UInt8], at position: UInt64) {
    for (index, byte) in bytes.enumerated() {
      let offset = (Int(position) + index) % size
      put(byte, at: 2 * page + offset)
      put(byte, at: 2 * page + size + offset)
    }
  }

  /// BPF_RINGBUF_BUSY_BIT and BPF_RINGBUF_DISCARD_BIT.
  enum Mark: UInt32 {
    case none = 0
    case busy = 0x8000_0000
    case discarded = 0x4000_0000
  }

  /// - Returns: the position of the record.
  @discardableResult
  func write(_ time: UInt64, _ mark: Mark = .none) -> UInt64 {
    var event = EventRecordMaker.transition(at: time)
    let position = written
    setMark(mark, at: position)
    put(withUnsafeBytes(of: &event) { Array($0) }, at: position + 8)
    advance(to: position + 256)
    return position
  }

  func setMark(_ mark: Mark, at position: UInt64) {
    let header = UInt32(MemoryLayout<tcpstate_event>.size) | mark.rawValue
    put(withUnsafeBytes(of: header) { Array($0) } + [0, 0, 0, 0], at: position)
  }

  /// How far the reader has given records back.
  var consumed: UInt64 {
    var position: UInt64 = 0
    _ = pread(descriptor, &position, 8, 0)
    return position
  }
}

private enum EventRecordMaker {
  static func transition(at time: UInt64) -> tcpstate_event {
    var event = tcpstate_event()
    event.version = UInt8(TCPSTATE_EVENT_VERSION)
    event.kind = UInt8(TCPSTATE_KIND_TRANSITION)
    event.cookie = time
    event.timestamp_ns = time
    event.state_old = TCPState.established.number
    event.state_new = TCPState.closeWait.number
    return event
  }
}

@Suite struct RingBufferTests {
  private let queue = EventQueue()

  private func times() -> [UInt64] {
    var times: [UInt64] = []
    while let event = queue.next(until: .max) { times.append(event.pointee.timestamp_ns) }
    return times
  }

  @Test func recordsStayUntilTheyAreHandedOn() throws {
    let file = try RingFile(size: 4096)
    var ring = try RingBuffer(map: file.descriptor, size: file.size, queue: queue)
    for time in 1...3 as ClosedRange<UInt64> { file.write(time) }
    #expect(ring.written == 768 && ring.hasUnread)
    let more = ring.consume(until: ring.written)
    #expect(!more && !ring.hasUnread && file.consumed == 0)
    #expect(queue.next(until: 1)?.pointee.timestamp_ns == 1)
    _ = ring.consume(until: ring.written)
    #expect(file.consumed == 256, "one has been handed on")
    #expect(times() == [2, 3])
    _ = ring.consume(until: ring.written)
    #expect(file.consumed == 768)
  }

  /// A record that is still being written holds up those behind it.
  @Test func busyRecords() throws {
    let file = try RingFile(size: 4096)
    var ring = try RingBuffer(map: file.descriptor, size: file.size, queue: queue)
    file.write(1)
    let busy = file.write(2, .busy)
    file.write(3)
    let more = ring.consume(until: ring.written)
    #expect(!more && times() == [1] && ring.hasUnread, "nothing more at once")
    file.setMark(.none, at: busy)
    _ = ring.consume(until: ring.written)
    #expect(times() == [2, 3] && !ring.hasUnread)
  }

  @Test func discardedRecords() throws {
    let file = try RingFile(size: 4096)
    var ring = try RingBuffer(map: file.descriptor, size: file.size, queue: queue)
    file.write(1, .discarded)
    file.write(2)
    _ = ring.consume(until: ring.written)
    #expect(times() == [2] && queue.undecodable == 0)
  }

  /// Records after the given position are left.
  @Test func limit() throws {
    let file = try RingFile(size: 4096)
    var ring = try RingBuffer(map: file.descriptor, size: file.size, queue: queue)
    file.write(1)
    let position = ring.written
    file.write(2)
    _ = ring.consume(until: position)
    #expect(times() == [1] && ring.hasUnread)
  }

  /// Several times around, with records that begin before the end and continue at the beginning.
  @Test func wrapsAround() throws {
    let file = try RingFile(size: 4096, start: 4096 * 5 + 4096 - 128)
    var ring = try RingBuffer(map: file.descriptor, size: file.size, queue: queue)
    var next: UInt64 = 1
    for _ in 0..<10 {
      let first = next
      for _ in 0..<13 {
        file.write(next)
        next += 1
      }
      _ = ring.consume(until: ring.written)
      #expect(times() == Array(first..<next))
      _ = ring.consume(until: ring.written)
      #expect(file.consumed == file.written)
    }
  }

  /// Only so many are queued at once that they are still in the cache when they are handed on.
  @Test func batches() throws {
    let file = try RingFile(size: 1 << 18)
    var ring = try RingBuffer(map: file.descriptor, size: file.size, queue: queue)
    for time in 1...600 as ClosedRange<UInt64> { file.write(time) }
    var batches: [Int] = []
    var more = true
    while more {
      more = ring.consume(until: ring.written)
      batches.append(times().count)
    }
    #expect(batches == [256, 256, 88])
  }

  @Test func mustBeMappable() throws {
    #expect(throws: KernelError.self) { _ = try RingBuffer(map: -1, size: 4096, queue: queue) }
  }
}
