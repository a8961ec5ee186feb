// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// IP addresses as text: dotted IPv4, also for v4-mapped addresses, and IPv6 as in RFC 5952.
public enum AddressText {
  /// Bytes of the longest address, `ffff:…:ffff`, and the slack that the functions below need.
  static let room = 48

  /// Appends the address without brackets; `::` and `0.0.0.0` are written like any other.
  public static func append(_ address: IPAddress, to buffer: inout ByteBuffer) {
    var cursor = buffer.cursor(room: room)
    cursor.put(address)
    buffer.commit(cursor)
  }

  public static func string(_ address: IPAddress) -> String {
    var buffer = ByteBuffer(capacity: 64)
    append(address, to: &buffer)
    return buffer.text
  }

  /// The address in at most `width` columns, if it can be shortened to that: IPv6 without groups in its middle,
  /// `2001:db8:…:370:7334`, at least `…:7334`.
  public static func string(_ address: IPAddress, fitting width: Int, glyphs: Glyphs = .unicode) -> String {
    let whole = string(address)
    guard whole.utf8.count > width, !address.isIPv4 else { return whole }
    let groups = whole.split(separator: ":", omittingEmptySubsequences: false)
    let mark = glyphs.ellipsis.description
    func text(_ head: Int, _ tail: Int) -> String {
      (groups.prefix(head) + [Substring(mark)] + groups.suffix(tail)).joined(separator: ":")
    }
    var (head, tail) = (0, 1)
    // In turns, so that the network and the host are both recognizable.
    while head + tail + 1 < groups.count {
      let longer = head < tail ? (head + 1, tail) : (head, tail + 1)
      guard DisplayWidth.of(text(longer.0, longer.1)) <= width else { break }
      (head, tail) = longer
    }
    return text(head, tail)
  }

  /// Each octet's digits and a dot, the first digit in the lowest byte.
  ///
  /// 256 entries, allocated once, never freed or changed.
  nonisolated(unsafe) static let octets: UnsafePointer<UInt32> = {
    let table = UnsafeMutablePointer<UInt32>.allocate(capacity: 256)
    for octet in 0...255 {
      var entry: UInt32 = 0
      for byte in "\(octet).".utf8.reversed() { entry = entry << 8 | UInt32(byte) }
      (table + octet).initialize(to: entry)
    }
    return UnsafePointer(table)
  }()
}

extension ByteCursor {
  /// Writes an address; the room must be `AddressText.room`.
  @inline(__always)
  mutating func put(_ address: IPAddress) {
    put(address, octets: AddressText.octets)
  }

  /// - Parameter octets: `AddressText.octets`; a caller that writes many addresses keeps it.
  @inline(__always)
  mutating func put(_ address: IPAddress, octets: UnsafePointer<UInt32>) {
    if address.isIPv4 {
      put(octet: address.v4 >> 24, octets)
      put(octet: address.v4 >> 16 & 255, octets)
      put(octet: address.v4 >> 8 & 255, octets)
      put(octet: address.v4 & 255, octets)
      next -= 1  // the last dot
    } else {
      next = Self.written(v6: address, at: next)
    }
  }

  /// Stores four bytes, of which the octet's digits and its dot count.
  @inline(__always)
  private mutating func put(octet: UInt32, _ octets: UnsafePointer<UInt32>) {
    // `octet` is at most 255 and the table has 256 entries.
    let text = octets[Int(truncatingIfNeeded: octet)]
    UnsafeMutableRawPointer(next).storeBytes(of: text.littleEndian, as: UInt32.self)
    next += octet > 99 ? 4 : octet > 9 ? 3 : 2
  }

  /// By value, so that the caller's cursor can stay in a register.
  ///
  /// - Returns: the place behind the address.
  @inline(never)
  private static func written(v6 address: IPAddress, at place: UnsafeMutablePointer<UInt8>)
    -> UnsafeMutablePointer<UInt8>
  {
    var cursor = ByteCursor(next: place)
    cursor.put(v6: address)
    return cursor.next
  }

  /// RFC 5952, section 4: lower case, no leading zeros, `::` for the longest run
  /// of at least two zero groups, or the first such run if several are longest.
  private mutating func put(v6 address: IPAddress) {
    let run = Self.longestZeroRun(address)
    var index = 0
    while index < 8 {
      if index == run.start {
        put(UInt8(ascii: ":"))
        put(UInt8(ascii: ":"))
        index += run.count
        continue
      }
      if index > 0, index != run.start + run.count { put(UInt8(ascii: ":")) }
      put(group: address.group(index))
      index += 1
    }
  }

  /// The groups that `::` replaces; `start` is -1 if there are none.
  private static func longestZeroRun(_ address: IPAddress) -> (start: Int, count: Int) {
    var best = (start: -1, count: 1)
    var count = 0
    for index in 0..<8 {
      count = address.group(index) == 0 ? count + 1 : 0
      if count > best.count { best = (index + 1 - count, count) }
    }
    return best.start < 0 ? (-1, 0) : best
  }

  /// Spreads the four nibbles to one byte each, the first in the highest, lifts
  /// those above 9 from `:` to `a`, shifts leading zeros out and stores the rest.
  @inline(__always)
  private mutating func put(group: UInt16) {
    var nibbles = UInt32(group)
    nibbles = (nibbles << 8 | nibbles) & 0x00ff_00ff
    nibbles = (nibbles << 4 | nibbles) & 0x0f0f_0f0f
    let letters = (nibbles &+ 0x0606_0606) >> 4 & 0x0101_0101
    let text = nibbles &+ 0x3030_3030 &+ letters &* 39
    let zeros = (group | 1).leadingZeroBitCount >> 2
    UnsafeMutableRawPointer(next).storeBytes(
      of: (text &<< UInt32(zeros * 8)).bigEndian, as: UInt32.self)
    next += 4 - zeros
  }
}
