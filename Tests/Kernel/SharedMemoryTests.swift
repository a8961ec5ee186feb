// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent
import Testing

@testable import TCPStateKernel

/// Each access reaches its own member and no other.
@Suite struct SharedMemoryTests {
  private func with(_ body: (UnsafeMutablePointer<tcpstate_shared>, SharedMemory) -> Void) {
    let shared = UnsafeMutablePointer<tcpstate_shared>.allocate(capacity: 1)
    shared.initialize(to: tcpstate_shared())
    defer { shared.deallocate() }
    body(shared, SharedMemory(at: shared))
  }

  @Test func whatTheKernelSideWrites() {
    with { shared, memory in
      (shared.pointee.lost, shared.pointee.nested) = (1, 2)
      (shared.pointee.jiffies, shared.pointee.jiffies_time_ns) = (3 << 32, 4)
      #expect(memory.lost == 1 && memory.nested == 2)
      #expect(memory.jiffies == 3 << 32 && memory.jiffiesTime == 4)
      shared.pointee.lost = .max
      #expect(memory.lost == .max, "a later value")
    }
  }

  @Test func whatUserSpaceWrites() {
    with { shared, memory in
      shared.pointee.wake_sent = 1
      memory.clearWake()
      #expect(shared.pointee.wake_sent == 0)
      memory.setAttached(at: 5 << 40)
      #expect(shared.pointee.attached_ns == 5 << 40)
      memory.setSnapshot(states: 0xffff_fffe, minisocksOnly: true)
      #expect(shared.pointee.snapshot_states == 0xffff_fffe && shared.pointee.snapshot_minisocks_only == 1)
      memory.setSnapshot(states: 2, minisocksOnly: false)
      #expect(shared.pointee.snapshot_states == 2 && shared.pointee.snapshot_minisocks_only == 0)
      // The others are as they were.
      #expect(shared.pointee.lost == 0 && shared.pointee.nested == 0 && shared.pointee.jiffies == 0)
      #expect(shared.pointee.jiffies_time_ns == 0 && shared.pointee.untracked == 0 && shared.pointee.reader_pid == 0)
    }
  }
}
