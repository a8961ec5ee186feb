// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// A transition as a systemd journal entry, with the fields of BCC's `tcpstates -Y`.
///
/// It is serialized as in systemd's "Native Journal Protocol": `FIELD=value`, or, if the value
/// has a line break, the field, a line break, the length as a little-endian number of 64 bits,
/// and the value.
public struct JournalEntry {
  public private(set) var bytes: [UInt8] = []

  /// - Parameter namesProcess: whether to name the owner. journald adds `OBJECT_COMM` and more itself
  ///   for a process that still exists, if a privileged sender gives its id.
  public init(_ row: borrowing Transition, namesProcess: Bool) {
    let local = Self.address(row.local, isIPv4: row.isIPv4)
    let peer = Self.address(row.peer, isIPv4: row.isIPv4)
    let family = row.isIPv4 ? "IPV4" : "IPV6"
    let states = "\(row.old.name(.kernel)) → \(row.new.name(.kernel))"
    add(
      "MESSAGE",
      "\(row.ownerName.isEmpty ? "-" : row.ownerName.description) \(local) \(row.local.port) → \(peer) \(row.peer.port) \(states)"
    )
    add("PRIORITY", "5")
    add("SYSLOG_IDENTIFIER", "tcpstates")
    if let pid = row.ownerPID { add("OBJECT_PID", "\(pid)") }
    if namesProcess, !row.ownerName.isEmpty { add("OBJECT_COMM", row.ownerName.description) }
    add("OBJECT_\(family)_SOURCE_ADDRESS", local)
    add("OBJECT_TCP_SOURCE_PORT", "\(row.local.port)")
    add("OBJECT_\(family)_DESTINATION_ADDRESS", peer)
    add("OBJECT_TCP_DESTINATION_PORT", "\(row.peer.port)")
    add("OBJECT_TCP_OLD_STATE", row.old.name(.kernel))
    add("OBJECT_TCP_NEW_STATE", row.new.name(.kernel))
    // Microseconds; absent where BCC has a wrong 0.
    if let stay = row.stay, stay.kind == .exact { add("OBJECT_TCP_SPAN_TIME", "\(stay.nanoseconds / 1000)") }
  }

  private static func address(_ end: Endpoint, isIPv4: Bool) -> String {
    end.address.isUnspecified ? (isIPv4 ? "0.0.0.0" : "::") : AddressText.string(end.address)
  }

  private mutating func add(_ field: String, _ value: String) {
    bytes += field.utf8
    if value.utf8.contains(0x0a) {
      bytes.append(0x0a)
      withUnsafeBytes(of: UInt64(value.utf8.count).littleEndian) { bytes += $0 }
    } else {
      bytes.append(UInt8(ascii: "="))
    }
    bytes += value.utf8
    bytes.append(0x0a)
  }
}
