// SPDX-License-Identifier: Apache-2.0
import CLinux
import CTCPStateEvent

/// The .bss of the kernel side (`tcpstate_shared`), mapped into this process.
///
/// The kernel side uses it at the same time, so each access is one acquire load or one release store. This is a view,
/// valid as long as the mapping, which `BPFObject` owns.
struct SharedMemory {
  private let base: UnsafeMutableRawPointer

  /// - Parameter base: a `tcpstate_shared`, aligned to 8 bytes.
  init(at base: UnsafeMutableRawPointer) {
    self.base = base
  }

  // MARK: - Written by the kernel side

  /// Events since load that the ring buffer had no room for.
  var lost: UInt64 { load(TCPSTATE_SHARED_LOST) }

  /// Runs of `transition_nested` that recorded a transition because `transition` could not.
  var nested: UInt64 { load(TCPSTATE_SHARED_NESTED) }

  /// jiffies64 when an iterator last ended; 0 before.
  var jiffies: UInt64 { load(TCPSTATE_SHARED_JIFFIES) }

  /// When that was: CLOCK_MONOTONIC nanoseconds.
  var jiffiesTime: UInt64 { load(TCPSTATE_SHARED_JIFFIES_TIME_NS) }

  /// Changes whenever an MPTCP socket changes its state.
  var mptcpChanges: UInt64 { load(TCPSTATE_SHARED_MPTCP_CHANGES) }

  // MARK: - Written by user space

  /// Lets the kernel side wake us again.
  func clearWake() { store(UInt64(0), TCPSTATE_SHARED_WAKE_SENT) }

  /// From `time` on, CLOCK_MONOTONIC nanoseconds, every transition is aggregated.
  func setAttached(at time: UInt64) { store(time, TCPSTATE_SHARED_ATTACHED_NS) }

  /// What the iterators report from now on.
  ///
  /// - Parameters:
  ///   - states: one bit for each of the kernel's state numbers.
  ///   - minisocksOnly: whether full sockets are left out, of the TCP tables.
  ///   - holdersOnly: whether only the holders of servers' sockets are, of descriptors.
  func setSnapshot(states: UInt32, minisocksOnly: Bool = false, holdersOnly: Bool = false) {
    store(states, TCPSTATE_SHARED_SNAPSHOT_STATES)
    store(holdersOnly ? UInt64(1) : 0, TCPSTATE_SHARED_SNAPSHOT_HOLDERS_ONLY)
    store(minisocksOnly ? UInt32(1) : 0, TCPSTATE_SHARED_SNAPSHOT_MINISOCKS_ONLY)
  }

  // MARK: - Access

  /// Safe: the header takes the offsets from the struct's own members, of this width and so aligned.
  private func load(_ offset: Int) -> UInt64 { tcpstate_load_acquire_u64(base + offset) }

  private func store(_ value: UInt64, _ offset: Int) { tcpstate_store_release_u64(base + offset, value) }

  private func store(_ value: UInt32, _ offset: Int) { tcpstate_store_release_u32(base + offset, value) }
}
