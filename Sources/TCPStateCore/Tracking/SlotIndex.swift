// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent

/// Slots by 32-bit hash, with open addressing and without tombstones.
///
/// An entry holds its hash, so growing and closing gaps never touch the
/// connections themselves. The caller distinguishes equal hashes.
struct SlotIndex: ~Copyable {
  /// High half: the hash. Low half: slot + 1, or 0 if free.
  private var entries: UnsafeMutablePointer<UInt64>
  private var mask: UInt32
  private var count = 0

  init(capacity: Int) {
    entries = .allocate(capacity: capacity)
    entries.initialize(repeating: 0, count: capacity)
    mask = UInt32(capacity - 1)
  }

  deinit { entries.deallocate() }

  var allocatedBytes: Int { (Int(mask) + 1) * MemoryLayout<UInt64>.stride }

  /// The first slot with that hash for which `matches` holds.
  @inline(__always)
  func find(_ hash: UInt32, _ matches: (UInt32) -> Bool) -> UInt32? {
    var position = hash & mask
    while true {
      let entry = entries[Int(position)]
      if entry == 0 { return nil }
      if UInt32(truncatingIfNeeded: entry >> 32) == hash {
        let slot = UInt32(truncatingIfNeeded: entry) - 1
        if matches(slot) { return slot }
      }
      position = (position &+ 1) & mask
    }
  }

  /// Prefetches the memory in which a search for that hash begins.
  @inline(__always)
  func prefetch(_ hash: UInt32) {
    tcpstate_prefetch(entries + Int(hash & mask))
  }

  /// What `find` would most likely return, by a look at one entry only.
  @inline(__always)
  func guess(_ hash: UInt32) -> UInt32? {
    let entry = entries[Int(hash & mask)]
    return UInt32(truncatingIfNeeded: entry >> 32) == hash && entry != 0 ? UInt32(truncatingIfNeeded: entry) - 1 : nil
  }

  mutating func insert(_ hash: UInt32, _ slot: UInt32) {
    if (count + 1) * 8 > (Int(mask) + 1) * 7 { grow() }
    place(UInt64(hash) << 32 | UInt64(slot + 1))
    count += 1
  }

  private func place(_ entry: UInt64) {
    var position = UInt32(truncatingIfNeeded: entry >> 32) & mask
    while entries[Int(position)] != 0 { position = (position &+ 1) & mask }
    entries[Int(position)] = entry
  }

  private mutating func grow() {
    let old = entries
    let capacity = Int(mask) + 1
    entries = .allocate(capacity: capacity * 2)
    entries.initialize(repeating: 0, count: capacity * 2)
    mask = UInt32(capacity * 2 - 1)
    for position in 0..<capacity where old[position] != 0 { place(old[position]) }
    old.deallocate()
  }

  /// Removes one entry; does nothing if there is none.
  mutating func remove(_ hash: UInt32, _ slot: UInt32) {
    let wanted = UInt64(hash) << 32 | UInt64(slot + 1)
    var gap = hash & mask
    while entries[Int(gap)] != wanted {
      if entries[Int(gap)] == 0 { return }
      gap = (gap &+ 1) & mask
    }
    count -= 1
    // Move up every entry that a search could no longer reach across the gap.
    var next = (gap &+ 1) & mask
    while entries[Int(next)] != 0 {
      let home = UInt32(truncatingIfNeeded: entries[Int(next)] >> 32) & mask
      if (next &- home) & mask >= (next &- gap) & mask {
        entries[Int(gap)] = entries[Int(next)]
        gap = next
      }
      next = (next &+ 1) & mask
    }
    entries[Int(gap)] = 0
  }
}
