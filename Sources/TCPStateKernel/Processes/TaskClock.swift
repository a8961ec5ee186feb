// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// The clocks by which the scheduler notes when a thread ran. Each CPU has its own, which stands still while that CPU
/// serves interrupts or another guest, so they differ from each other.
///
/// This thread goes to a CPU to read its clock from its own `sched`, and back.
struct TaskClock {
  private var times: [Int: UInt64] = [:]
  private static let own = "/proc/thread-self/sched"

  /// - Returns: a time in nanoseconds that isn't later than the present; `nil` if this thread may not run there.
  mutating func time(of processor: Int) -> UInt64? {
    if let known = times[processor] { return known }
    guard let time = visit(processor) else { return nil }
    times[processor] = time
    return time
  }

  private func visit(_ processor: Int) -> UInt64? {
    guard processor >= 0, processor < 8192 else { return nil }
    // As many bits as any kernel has CPUs (NR_CPUS).
    let words = 8192 / UInt.bitWidth
    return withUnsafeTemporaryAllocation(of: UInt.self, capacity: 2 * words) { masks in
      masks.initialize(repeating: 0)
      let (before, wanted) = (masks.baseAddress, masks.baseAddress.map { $0 + words })
      let size = words * MemoryLayout<UInt>.size
      guard tcpstate_get_affinity(before, size) > 0 else { return nil }
      masks[words + processor / UInt.bitWidth] = 1 << UInt(processor % UInt.bitWidth)
      guard tcpstate_set_affinity(wanted, size) == 0 else { return nil }
      defer { _ = tcpstate_set_affinity(before, size) }
      return FileDescriptor(path: Self.own)?.text().flatMap { ThreadText.lastRun($0) }
    }
  }
}
