// SPDX-License-Identifier: Apache-2.0
import Glibc
import TCPStateCore
import TCPStateReport
import TestSupport
import Testing

@Suite struct AddressTextTests {
  @Test(arguments: [
    ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("0.0.0.0", "0.0.0.0"),
    ("::ffff:10.0.0.9", "10.0.0.9"), ("255.255.255.255", "255.255.255.255"), ("1.20.100.9", "1.20.100.9"),
    // RFC 5952, sections 4.2.2 (no `::` for one group) and 4.2.3 (the first of two runs).
    ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
    ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"), ("2001:DB8::A", "2001:db8::a"),
    ("0:1:2:3:4:5:6:7", "0:1:2:3:4:5:6:7"), ("1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"),
    ("fe80:1000:200:30:4:ffff:f00:f0", "fe80:1000:200:30:4:ffff:f00:f0"),
    // Unlike glibc: RFC 4291, section 2.5.5.1, deprecates v4-compatible addresses.
    ("::10.0.0.9", "::a00:9"),
  ])
  func text(_ input: String, _ expected: String) throws {
    let address = try #require(IPAddress(parsing: input))
    #expect(AddressText.string(address) == expected)
  }

  /// A million addresses with random zero groups, so that `::` is in every place, are written as by inet_ntop().
  @Test func sameAsInetNtop() throws {
    var random = SeededGenerator(seed: 1)
    var compared = 0
    for _ in 0..<1_000_000 {
      let address = Self.randomAddress(&random)
      // glibc writes the low 32 bits of the v4-compatible `::a.b.c.d` dotted; RFC 5952,
      // section 5, asks for that only where a prefix says that an IPv4 address is inside.
      if address.high == 0, address.low >> 32 == 0, address.low >> 16 != 0 { continue }
      let expected = Self.inetNtop(address)
      let actual = AddressText.string(address)
      compared += 1
      if actual != expected {
        Issue.record("\(actual) instead of \(expected)")
        break
      }
    }
    #expect(compared > 900_000)
  }

  private static func randomAddress(_ random: inout SeededGenerator) -> IPAddress {
    let shape = random.next()
    if shape & 7 == 0 { return IPAddress(v4: UInt32(truncatingIfNeeded: random.next())) }
    var high = random.next()
    var low = random.next()
    for group in 0..<4 {
      if shape >> UInt64(8 + group) & 1 == 1 { high &= ~(0xffff << UInt64(group * 16)) }
      if shape >> UInt64(16 + group) & 1 == 1 { low &= ~(0xffff << UInt64(group * 16)) }
      // Short groups, because of their leading zeros.
      if shape >> UInt64(24 + group) & 3 == 3 { high &= ~(0xff00 << UInt64(group * 16)) }
      if shape >> UInt64(32 + group) & 3 == 3 { low &= ~(0xfff0 << UInt64(group * 16)) }
    }
    return IPAddress(high: high, low: low)
  }

  private static func inetNtop(_ address: IPAddress) -> String {
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    if address.isIPv4 {
      var bytes = address.v4.bigEndian
      inet_ntop(AF_INET, &bytes, &text, socklen_t(text.count))
    } else {
      var bytes = (address.high.bigEndian, address.low.bigEndian)
      inet_ntop(AF_INET6, &bytes, &text, socklen_t(text.count))
    }
    return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  @Test func endpoints() throws {
    func text(_ address: String, _ port: UInt16) throws -> String {
      EndpointText.string(Endpoint(address: try #require(IPAddress(parsing: address)), port: port))
    }
    #expect(try text("10.0.0.5", 80) == "10.0.0.5:80")
    #expect(try text("2001:db8::1", 443) == "[2001:db8::1]:443")
    #expect(try text("::", 443) == "[::]:443")
    #expect(try text("0.0.0.0", 65_535) == "0.0.0.0:65535")
    #expect(try text("10.0.0.5", 0) == "10.0.0.5:*")
    #expect(try text("0.0.0.0", 0) == "–")
    #expect(EndpointText.string(.none, glyphs: .ascii) == "-")
  }
}
