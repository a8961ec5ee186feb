// SPDX-License-Identifier: Apache-2.0
import TestSupport

/// A TCP segment as it was on the wire.
struct Packet: Hashable {
  var source: UInt16
  var target: UInt16
  var sequence: UInt32
  var acknowledgement: UInt32
  /// FIN 1, SYN 2, RST 4, PSH 8, ACK 16.
  var flags: UInt8
}

/// Reads what tcpdump -w writes: pcap, little-endian, Ethernet, IPv4 and IPv6 without extension headers.
enum Capture {
  static func packets(_ bytes: [UInt8]) throws -> [Packet] {
    guard bytes.count >= 24, bytes[0..<2] == [0xd4, 0xc3] || bytes[0..<2] == [0x4d, 0x3c] else {
      throw TestFailure("not a little-endian pcap file")
    }
    guard bytes[20] == 1 else { throw TestFailure("not Ethernet") }
    var packets: [Packet] = []
    var offset = 24
    while offset + 16 <= bytes.count {
      let length = Int(bytes[offset + 8]) | Int(bytes[offset + 9]) << 8 | Int(bytes[offset + 10]) << 16
      let end = offset + 16 + length
      guard end <= bytes.count else { break }
      if let packet = packet(bytes[(offset + 16)..<end]) { packets.append(packet) }
      offset = end
    }
    return packets
  }

  private static func packet(_ frame: ArraySlice<UInt8>) -> Packet? {
    func number(_ offset: Int, _ count: Int) -> UInt32 {
      frame[(frame.startIndex + offset)...].prefix(count).reduce(0) { $0 << 8 | UInt32($1) }
    }
    guard frame.count > 54 - 1 else { return nil }
    let header: Int
    switch number(12, 2) {
    case 0x0800 where number(23, 1) == 6: header = 14 + Int(number(14, 1) & 15) * 4
    case 0x86dd where number(20, 1) == 6: header = 14 + 40
    default: return nil
    }
    guard frame.count >= header + 20 else { return nil }
    return Packet(
      source: UInt16(number(header, 2)), target: UInt16(number(header + 2, 2)),
      sequence: number(header + 4, 4), acknowledgement: number(header + 8, 4),
      flags: UInt8(number(header + 13, 1)))
  }
}
