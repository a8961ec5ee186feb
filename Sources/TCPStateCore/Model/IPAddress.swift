// SPDX-License-Identifier: Apache-2.0

/// An IP address. IPv4 is v4-mapped (`::ffff:a.b.c.d`, RFC 4291 section 2.5.5.2),
/// as on a dual-stack socket.
public struct IPAddress: Hashable, Sendable, BitwiseCopyable {
  /// Bytes 0–7 in network order, as a number in host order.
  public var high: UInt64
  /// Bytes 8–15, likewise.
  public var low: UInt64

  @inlinable
  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// Reads 16 bytes in network byte order.
  ///
  /// The buffer must hold at least 16 bytes from `bytes` on.
  @inlinable
  public init(networkOrder bytes: UnsafeRawPointer) {
    high = UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self))
    low = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
  }

  /// Makes an IPv4 address from its four bytes as one number in host order: 10.0.0.5 is 0x0a000005.
  @inlinable
  public init(v4 number: UInt32) {
    high = 0
    low = 0xffff_0000_0000 | UInt64(number)
  }

  public static let unspecified = IPAddress(high: 0, low: 0)

  /// Whether it is IPv4 on the wire.
  @inlinable
  public var isIPv4: Bool { high == 0 && low >> 32 == 0xffff }

  /// The IPv4 address as one number in host order; only meaningful if `isIPv4`.
  @inlinable
  public var v4: UInt32 { UInt32(truncatingIfNeeded: low) }

  /// Whether it is `0.0.0.0` or `::`: any local address, or no peer.
  @inlinable
  public var isUnspecified: Bool { high == 0 && (low == 0 || low == 0xffff_0000_0000) }

  /// Whether it is in 127.0.0.0/8 or `::1`.
  @inlinable
  public var isLoopback: Bool { isIPv4 ? v4 >> 24 == 127 : high == 0 && low == 1 }

  /// Whether it is in fe80::/10 or 169.254.0.0/16: its interface is part of it (RFC 4007).
  @inlinable
  public var isLinkLocal: Bool { isIPv4 ? v4 >> 16 == 0xa9fe : high >> 54 == 0xfe80 >> 6 }

  /// The 16-bit group `index` (0…7) of the IPv6 form.
  @inlinable
  public func group(_ index: Int) -> UInt16 {
    let half = index < 4 ? high : low
    return UInt16(truncatingIfNeeded: half >> UInt64((3 - index & 3) * 16))
  }
}

/// The address and port of one end.
public struct Endpoint: Hashable, Sendable, BitwiseCopyable {
  public var address: IPAddress
  /// In host order; 0 if there is none, or it isn't known yet.
  public var port: UInt16

  @inlinable
  public init(address: IPAddress, port: UInt16) {
    self.address = address
    self.port = port
  }

  public static let none = Endpoint(address: .unspecified, port: 0)
}

extension IPAddress {
  /// Parses dotted IPv4 or IPv6 text (RFC 4291, including an IPv4 tail); `nil` if it is neither.
  public init?(parsing text: some StringProtocol) {
    let text = text.utf8
    if text.contains(UInt8(ascii: ":")) {
      guard let value = Self.parseV6(Array(text)) else { return nil }
      self = value
    } else {
      guard let number = Self.parseV4(text) else { return nil }
      self.init(v4: number)
    }
  }

  private static func parseV4(_ text: some Sequence<UInt8>) -> UInt32? {
    var number: UInt32 = 0
    var part: UInt32 = 0
    var digits = 0
    var parts = 0
    for byte in text {
      if byte == UInt8(ascii: ".") {
        guard digits > 0, parts < 3 else { return nil }
        number = number << 8 | part
        parts += 1
        part = 0
        digits = 0
      } else {
        guard byte >= 48, byte <= 57, digits < 3, !(digits > 0 && part == 0) else { return nil }
        part = part * 10 + UInt32(byte - 48)
        digits += 1
        guard part <= 255 else { return nil }
      }
    }
    guard parts == 3, digits > 0 else { return nil }
    return number << 8 | part
  }

  private static func parseV6(_ text: [UInt8]) -> IPAddress? {
    var groups: [UInt16] = []
    var gap: Int?
    var index = 0
    if text.starts(with: [58, 58]) {
      gap = 0
      index = 2
    } else if text.first == 58 {
      return nil
    }
    while index < text.count {
      let end = text[index...].firstIndex(of: 58) ?? text.count
      let part = text[index..<end]
      if part.contains(46) {
        guard end == text.count, let v4 = parseV4(part) else { return nil }
        groups += [UInt16(v4 >> 16), UInt16(truncatingIfNeeded: v4)]
        index = end
        break
      }
      guard part.count >= 1, part.count <= 4,
        let value = UInt16(String(decoding: part, as: UTF8.self), radix: 16),
        part.first != 43, part.first != 45  // `+0` and `-0` are numbers to Swift
      else { return nil }
      groups.append(value)
      guard end < text.count else {
        index = end
        break
      }
      index = end + 1
      if index < text.count, text[index] == 58 {
        guard gap == nil else { return nil }
        gap = groups.count
        index += 1
      } else if index == text.count {
        return nil
      }
    }
    if let gap {
      guard groups.count < 8 else { return nil }
      groups.insert(contentsOf: Array(repeating: 0, count: 8 - groups.count), at: gap)
    }
    guard groups.count == 8 else { return nil }
    var high: UInt64 = 0
    var low: UInt64 = 0
    for group in groups[..<4] { high = high << 16 | UInt64(group) }
    for group in groups[4...] { low = low << 16 | UInt64(group) }
    return IPAddress(high: high, low: low)
  }
}

/// A network in CIDR notation; IPv4 lengths count from bit 96 of the v4-mapped form.
public struct Network: Hashable, Sendable {
  public let address: IPAddress
  /// Bits of the 16-byte form that must match: 96 more than written for IPv4.
  public let prefixLength: Int

  /// Parses `10.0.0.0/8`, `2001:db8::/32`, or an address alone; `nil` if it is none of these.
  public init?(parsing text: some StringProtocol) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let address = IPAddress(parsing: parts[0]) else { return nil }
    let isV4 = !parts[0].utf8.contains(UInt8(ascii: ":"))
    var length = isV4 ? 32 : 128
    if parts.count == 2 {
      guard let value = Int(parts[1]), parts[1].utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }),
        value <= length
      else { return nil }
      length = value
    }
    self.address = address
    prefixLength = isV4 ? length + 96 : length
  }

  /// Whether it was written as IPv4, or lies within the v4-mapped addresses.
  public var isIPv4: Bool { prefixLength >= 96 && address.isIPv4 }

  /// Whether the address belongs to it. An IPv6 network contains no IPv4 addresses,
  /// although these are stored v4-mapped.
  public func contains(_ other: IPAddress) -> Bool {
    guard isIPv4 == other.isIPv4 else { return false }
    func mask(_ bits: Int) -> UInt64 { bits <= 0 ? 0 : bits >= 64 ? .max : ~(UInt64.max >> UInt64(bits)) }
    return (address.high ^ other.high) & mask(prefixLength) == 0
      && (address.low ^ other.low) & mask(prefixLength - 64) == 0
  }
}
