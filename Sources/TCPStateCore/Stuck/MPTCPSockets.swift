// SPDX-License-Identifier: Apache-2.0
import CTCPStateEvent

/// The MPTCP sockets of one reading, by their address: which processes hold them, and so the TCP connections below them.
struct MPTCPSockets {
  private struct Entry {
    var connection: UInt64?
    var holders: [SocketHolder] = []
    var subflows: Set<UInt64> = []
  }

  private var entries: [UInt64: Entry] = [:]

  /// Adds a record of an MPTCP socket, which comes once for each descriptor.
  mutating func add(_ event: UnsafePointer<tcpstate_event>, connection: UInt64, _ holder: SocketHolder) {
    entries[event.pointee.socket_address, default: Entry()].connection = connection
    entries[event.pointee.socket_address]?.holders.append(holder)
  }

  /// Adds a TCP connection by its key.
  mutating func add(subflow key: UInt64, of address: UInt64) {
    entries[address, default: Entry()].subflows.insert(key)
  }

  func holders(of address: UInt64) -> [SocketHolder] { entries[address]?.holders ?? [] }

  /// Its connection id; `nil` if no process holds it.
  func connection(_ address: UInt64) -> UInt64? { entries[address]?.connection }

  /// How many TCP connections there are below it.
  func subflowCount(of address: UInt64) -> Int { entries[address]?.subflows.count ?? 0 }
}
