// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent
import Glibc
import TCPStateCore

/// Receives a record, and those behind it that have been read: the latter haven't been checked yet, and are there to
/// prefetch from. All are valid only during the call.
public typealias SnapshotReceiver = (
  _ record: UnsafePointer<tcpstate_snapshot>, _ following: UnsafeBufferPointer<tcpstate_snapshot>
) -> Void

/// Reads what an iterator writes: `tcpstate_snapshot` records without a gap.
enum SnapshotReader {
  private static let capacity = 64 * 1024

  /// Reads to the end.
  ///
  /// - Returns: how many records couldn't be decoded, including one that is cut off at the end.
  static func read(_ fd: consuming FileDescriptor, _ receive: SnapshotReceiver) throws(KernelError) -> UInt64 {
    let size = EventDecoder.snapshotSize
    let buffer = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 8)
    defer { buffer.deallocate() }
    var undecodable: UInt64 = 0
    var held = 0
    while true {
      let count = Glibc.read(fd.number, buffer + held, capacity - held)
      if count < 0 {
        if errno == EAGAIN || errno == EINTR { continue }
        throw KernelError("read a socket iterator", errno: errno)
      }
      if count == 0 { return undecodable + (held > 0 ? 1 : 0) }
      held += count
      var offset = 0
      while held - offset >= size {
        // Safe: the first record begins where the buffer does, each is a multiple of 8 bytes, and all of it was read.
        let record = buffer + offset
        offset += size
        do throws(DecodingFailure) {
          try EventDecoder.checkSnapshot(UnsafeRawBufferPointer(start: record, count: size))
        } catch {
          undecodable += 1
          continue
        }
        let following = UnsafeRawBufferPointer(start: buffer + offset, count: (held - offset) / size * size)
        receive(
          record.assumingMemoryBound(to: tcpstate_snapshot.self),
          following.assumingMemoryBound(to: tcpstate_snapshot.self))
      }
      if offset > 0, held > offset { memmove(buffer, buffer + offset, held - offset) }
      held -= offset
    }
  }
}
