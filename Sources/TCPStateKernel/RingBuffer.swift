import CLibbpf
import Glibc

/// Owns libbpf's consumer of the ring buffer and hands its records to a queue.
struct RingBuffer: ~Copyable {
  private let ring: OpaquePointer
  private let queue: EventQueue

  init(map: Int32, queue: EventQueue) throws(KernelError) {
    // Safe: `queue` is kept alive by this value, which frees the ring first.
    let context = Unmanaged.passUnretained(queue).toOpaque()
    let ring = ring_buffer__new(
      map,
      { context, data, size in
        guard let context, let data else { return 0 }
        let queue = Unmanaged<EventQueue>.fromOpaque(context).takeUnretainedValue()
        queue.append(UnsafeRawBufferPointer(start: data, count: size))
        return queue.isFull ? -1 : 0  // a negative result ends consume(); the record counts as read
      }, context, nil)
    guard let ring else { throw KernelError("set up the ring buffer", errno: errno) }
    self.ring = ring
    self.queue = queue
  }

  deinit { ring_buffer__free(ring) }

  /// Becomes readable when the kernel side wakes us.
  var descriptor: Int32 { ring_buffer__epoll_fd(ring) }

  /// Moves what is there into the queue, until either is empty or full.
  func consume() {
    _ = ring_buffer__consume(ring)
  }
}
