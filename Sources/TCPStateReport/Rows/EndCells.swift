// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// The cells from `local_address` to `peer_port` as they were last written: most rows of a connection have the same
/// ones, and come soon after each other.
///
/// A class with its memory behind a pointer, for the same reason as `OwnerCells`.
final class EndCells {
  private static let slots = 64
  /// Of the longest text that is kept: two IPv4 addresses of 15 bytes, two ports of 5 digits, 4 commas are 44.
  /// The room that must be behind the cursor.
  static let room = 48

  private struct Entry {
    var local = Endpoint.none
    var peer = Endpoint.none
    var count = 0
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
    let slot = Self.slot(row)
    let entry = entries + slot
    guard entry.pointee.count > 0, entry.pointee.local == row.pointee.local, entry.pointee.peer == row.pointee.peer
    else { return false }
    UnsafeMutableRawPointer(out.next).copyMemory(from: texts + slot * Self.room, byteCount: Self.room)
    out.next += entry.pointee.count
    return true
  }

  /// Keeps what was written for the row, from `start` to `end`, unless it is too long; the bytes behind may be anything.
  @inline(__always)
  func keep(
    _ row: UnsafePointer<Transition>, from start: UnsafeMutablePointer<UInt8>, to end: UnsafeMutablePointer<UInt8>
  ) {
    guard end - start <= Self.room else { return }
    let slot = Self.slot(row)
    entries[slot] = Entry(local: row.pointee.local, peer: row.pointee.peer, count: end - start)
    (texts + slot * Self.room).copyMemory(from: start, byteCount: Self.room)
  }

  /// Not the same for both ends of a connection, whose ports are swapped.
  @inline(__always)
  private static func slot(_ row: UnsafePointer<Transition>) -> Int {
    Int(row.pointee.local.port &+ row.pointee.peer.port &* 3) & (slots - 1)
  }
}
