// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent
import Glibc

/// Which processes hold which sockets, according to /proc: for kernels without an iterator over descriptors.
struct SocketHolders {
  private struct Holder {
    let process: UInt32
    let descriptor: UInt32
    /// NUL padded, as in a record.
    let name: [UInt8]
  }

  /// By the socket's inode.
  private var holders: [UInt64: [Holder]] = [:]

  /// Reads every descriptor of every process once.
  init() {
    for entry in Directory.names(in: "/proc") ?? [] {
      guard let process = UInt32(entry) else { continue }
      var name: [UInt8]?
      for number in Directory.names(in: "/proc/\(entry)/fd") ?? [] {
        guard let descriptor = UInt32(number), let inode = Self.socketInode("/proc/\(entry)/fd/\(number)")
        else { continue }
        let known = name ?? Self.processName(entry)
        name = known
        holders[inode, default: []].append(Holder(process: process, descriptor: descriptor, name: known))
      }
    }
  }

  /// Hands on a record once for each descriptor of its socket, or unchanged if there is none.
  func handOn(
    _ snapshot: UnsafePointer<tcpstate_snapshot>, _ following: UnsafeBufferPointer<tcpstate_snapshot>,
    _ receive: SnapshotReceiver
  ) {
    guard snapshot.pointee.socket_inode != 0, let found = holders[snapshot.pointee.socket_inode]
    else { return receive(snapshot, following) }
    var copy = snapshot.pointee
    for holder in found {
      copy.fd = holder.descriptor
      copy.event.owner_pid = holder.process
      withUnsafeMutableBytes(of: &copy.event.owner_name) { $0.copyBytes(from: holder.name) }
      receive(&copy, following)
    }
  }

  /// From the text of the link, `socket:[12345]`.
  private static func socketInode(_ path: String) -> UInt64? {
    withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { buffer in
      guard let text = buffer.assumingMemoryBound(to: CChar.self).baseAddress else { return nil }
      let count = readlink(path, text, buffer.count)
      guard count > 9 else { return nil }
      let link = String(decoding: buffer[..<count], as: UTF8.self)
      return link.hasPrefix("socket:[") ? UInt64(link.dropFirst(8).dropLast()) : nil
    }
  }

  /// /proc/PID/comm without its line feed.
  private static func processName(_ process: String) -> [UInt8] {
    let length = Int(TCPSTATE_NAME_LENGTH)
    var name = [UInt8](repeating: 0, count: length)
    guard let file = FileDescriptor(path: "/proc/\(process)/comm") else { return name }
    let count = name.withUnsafeMutableBytes { read(file.number, $0.baseAddress, length) }
    if count > 0, name[count - 1] == UInt8(ascii: "\n") { name[count - 1] = 0 }
    return name
  }
}
