import CLinux
import Glibc

/// Memory in large pages while libbpf loads.
///
/// It reads the kernel's type information, 5 MB and more, and keeps a copy of it until all programs
/// are loaded (btf_new(), tools/lib/bpf/btf.c): some 2,700 page faults, which take longer than all
/// else that is done with it. In pages of 2 MB there are six.
enum LargePages {
  /// Twice the type information, and what relocation needs.
  private static let room = 16 << 20
  private static let page = 2 << 20
  /// glibc's own (mallopt(3)).
  private static let usualThreshold: Int32 = 128 << 10

  /// Runs `body` with a heap that has so much room, and gives back what is left of it.
  static func during<Result: ~Copyable, Failure: Error>(
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    // From the heap, not from a mapping of its own; and freed memory stays there.
    mallopt(M_MMAP_THRESHOLD, Int32(2 * room))
    mallopt(M_TRIM_THRESHOLD, Int32(2 * room))
    var heap: (start: UnsafeMutableRawPointer, count: Int)?
    if let room = malloc(Self.room + page) {
      let first = (UInt(bitPattern: room) + UInt(page) - 1) & ~UInt(page - 1)
      if let start = UnsafeMutableRawPointer(bitPattern: first) {
        heap = (start, Self.room)
        // Where there are none, pages are as ever.
        madvise(start, Self.room, MADV_HUGEPAGE)
      }
      free(room)
    }
    defer {
      mallopt(M_MMAP_THRESHOLD, usualThreshold)
      mallopt(M_TRIM_THRESHOLD, usualThreshold)
      if let heap { madvise(heap.start, heap.count, MADV_NOHUGEPAGE) }
      malloc_trim(0)
    }
    return try body()
  }
}
