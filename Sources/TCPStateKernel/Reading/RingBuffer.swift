// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import TCPStateCore

/// The reading side of a BPF ring buffer (kernel/bpf/ringbuf.c), mapped.
///
/// libbpf's reader releases a record as soon as its callback returns, so records that have to wait would have to be
/// copied. This one leaves them where they are until the queue has handed them on.
struct RingBuffer: ~Copyable {
  /// The map, which epoll reports as readable when the kernel side wakes us. Edge-triggered only, because some records
  /// are always waiting.
  let descriptor: Int32
  private let size: Int
  /// The page that we write: how far we have read.
  private let consumerPage: UnsafeMutableRawPointer
  /// The page that the kernel writes: how far it has written. Then the data, mapped twice in a row, so that each record
  /// is contiguous.
  private let producerPage: UnsafeMutableRawPointer
  private let data: UnsafeRawPointer
  private let queue: EventQueue
  private var position: UInt64

  private static let pageSize = sysconf(Int32(_SC_PAGESIZE))
  private static let headerSize = 8
  /// BPF_RINGBUF_BUSY_BIT, include/uapi/linux/bpf.h: still being written.
  private static let busy: UInt32 = 1 << 31
  /// BPF_RINGBUF_DISCARD_BIT: reserved, but then discarded.
  private static let discarded: UInt32 = 1 << 30
  /// Records queued at once: few enough that they are still in the cache when they are handed on.
  private static let batch = 256

  /// - Parameters:
  ///   - map: a BPF_MAP_TYPE_RINGBUF, which has to stay open as long as this value.
  ///   - size: its max_entries.
  init(map: Int32, size: Int, queue: EventQueue) throws(KernelError) {
    let page = Self.pageSize
    guard let consumer = mmap(nil, page, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0), consumer != MAP_FAILED
    else { throw KernelError("map the ring buffer", errno: errno) }
    guard let producer = mmap(nil, page + 2 * size, PROT_READ, MAP_SHARED, map, page), producer != MAP_FAILED
    else {
      let code = errno
      munmap(consumer, page)
      throw KernelError("map the ring buffer", errno: code)
    }
    descriptor = map
    self.size = size
    consumerPage = consumer
    producerPage = producer
    data = UnsafeRawPointer(producer) + page
    self.queue = queue
    position = tcpstate_load_acquire_u64(consumer)
  }

  deinit {
    munmap(producerPage, Self.pageSize + 2 * size)
    munmap(consumerPage, Self.pageSize)
  }

  /// How far the kernel side has written.
  var written: UInt64 { tcpstate_load_acquire_u64(producerPage) }

  /// Whether something hasn't been queued: after `consume(until: written)` a record that is still being written, and
  /// those behind it.
  var hasUnread: Bool { position < written }

  /// Releases what the queue has handed on, and queues some of the records before `limit`.
  ///
  /// - Parameter limit: a value of `written`.
  /// - Returns: whether more can be queued at once.
  mutating func consume(until limit: UInt64) -> Bool {
    release()
    var room = min(Self.batch, queue.room)
    while position < limit, room > 0 {
      // Safe: a record below the producer's position lies within the data and its second mapping.
      let header = data + Int(truncatingIfNeeded: position & UInt64(size - 1))
      let length = tcpstate_load_acquire_u32(header)
      if length & Self.busy != 0 { return false }
      let bytes = Int(length & ~Self.discarded)
      if length & Self.discarded == 0 {
        queue.append(UnsafeRawBufferPointer(start: header + Self.headerSize, count: bytes), at: position)
        room -= 1
      }
      position += UInt64((bytes + Self.headerSize + 7) & ~7)
    }
    return position < limit
  }

  private func release() {
    tcpstate_store_release_u64(consumerPage, queue.oldestPosition ?? position)
  }
}
