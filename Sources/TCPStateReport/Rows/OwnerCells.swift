// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// The cells from `process_pid` to `network_type` as they were last written: all rows of a process have
/// the same ones, and copying them is cheaper than writing their digits.
///
/// A class with its memory behind a pointer, because the compiler copies a struct of this size to look into it.
final class OwnerCells {
  private static let slots = 64
  /// 16-byte pieces of the longest text: 10 digits, a name of 16 bytes, 10, 20 and 10 digits, `ipv6`, 6 commas.
  private static let pieces = 5
  /// The room that must be behind the cursor.
  static let room = pieces * 16

  private struct Entry {
    var pid: UInt32 = 0
    var userID: UInt32?
    var name = ShortName()
    var cgroup: UInt64?
    var netns: UInt32?
    var isIPv4 = false
    var count = 0
    /// How many of these bytes are the process's id and name.
    var processCount = 0
  }

  private let entries = UnsafeMutablePointer<Entry>.allocate(capacity: slots)
  /// `room` bytes for each entry.
  private let texts = UnsafeMutableRawPointer.allocate(byteCount: slots * room, alignment: 16)

  init() { entries.initialize(repeating: Entry(), count: Self.slots) }

  deinit {
    entries.deallocate()
    texts.deallocate()
  }

  /// Writes the cells if they are kept.
  ///
  /// - Returns: whether they were.
  @inline(__always)
  func put(_ row: UnsafePointer<Transition>, to out: inout ByteCursor) -> Bool {
    guard let pid = row.pointee.ownerPID else { return false }
    let slot = Self.slot(pid)
    let entry = entries + slot
    guard entry.pointee.pid == pid, entry.pointee.name == row.pointee.ownerName,
      entry.pointee.userID == row.pointee.userID, entry.pointee.cgroup == row.pointee.cgroup,
      entry.pointee.netns == row.pointee.netns, entry.pointee.isIPv4 == row.pointee.isIPv4, pid != 0
    else { return false }
    UnsafeMutableRawPointer(out.next).copyMemory(from: texts + slot * Self.room, byteCount: Self.room)
    out.next += entry.pointee.count
    return true
  }

  /// Writes the actor's cells if the actor is the owner, whose cells are kept.
  ///
  /// - Returns: whether they were.
  @inline(__always)
  func putActor(_ row: UnsafePointer<Transition>, to out: inout ByteCursor) -> Bool {
    guard let pid = row.pointee.actorPID, pid == row.pointee.ownerPID else { return false }
    let slot = Self.slot(pid)
    let entry = entries + slot
    guard entry.pointee.pid == pid, entry.pointee.name == row.pointee.actorName, pid != 0 else { return false }
    UnsafeMutableRawPointer(out.next).copyMemory(from: texts + slot * Self.room, byteCount: 32)
    out.next += entry.pointee.processCount
    return true
  }

  /// Keeps what was written for the row, from `start` to `end`; the bytes behind may be anything.
  ///
  /// - Parameter process: behind the process's name and its comma.
  @inline(never)
  func keep(
    _ row: UnsafePointer<Transition>, from start: UnsafeMutablePointer<UInt8>,
    process: UnsafeMutablePointer<UInt8>, to end: UnsafeMutablePointer<UInt8>
  ) {
    // A quoted name may take more.
    guard let pid = row.pointee.ownerPID, end - start <= Self.room, process - start <= 32 else { return }
    var entry = Entry()
    entry.pid = pid
    entry.userID = row.pointee.userID
    entry.name = row.pointee.ownerName
    entry.cgroup = row.pointee.cgroup
    entry.netns = row.pointee.netns
    entry.isIPv4 = row.pointee.isIPv4
    entry.count = end - start
    entry.processCount = process - start
    entries[Self.slot(pid)] = entry
    (texts + Self.slot(pid) * Self.room).copyMemory(from: start, byteCount: end - start)
  }

  @inline(__always)
  private static func slot(_ pid: UInt32) -> Int { Int(truncatingIfNeeded: pid) & (slots - 1) }
}
