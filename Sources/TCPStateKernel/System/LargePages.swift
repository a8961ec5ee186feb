// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// Memory in large pages while libbpf loads.
///
/// libbpf reads the kernel's type information, 5 MB or more, and keeps a copy of it until all programs are loaded
/// (btf_new(), tools/lib/bpf/btf.c). The some 2,700 page faults take longer than everything else done with it; with
/// pages of 2 MB there are six.
enum LargePages {
  /// Twice the type information, plus what relocation needs.
  private static let room = 16 << 20
  private static let page = 2 << 20
  /// glibc's default (mallopt(3)).
  private static let usualThreshold: Int32 = 128 << 10

  /// Runs `body` with that much free heap, and then returns what is left to the system.
  static func during<Result: ~Copyable, Failure: Error>(
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    // Allocate from the heap instead of separate mappings, and keep freed memory there.
    mallopt(M_MMAP_THRESHOLD, Int32(2 * room))
    mallopt(M_TRIM_THRESHOLD, Int32(2 * room))
    var heap: (start: UnsafeMutableRawPointer, count: Int)?
    if let room = malloc(Self.room + page) {
      let first = (UInt(bitPattern: room) + UInt(page) - 1) & ~UInt(page - 1)
      if let start = UnsafeMutableRawPointer(bitPattern: first) {
        heap = (start, Self.room)
        // Without large pages this changes nothing.
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
