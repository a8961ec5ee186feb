// SPDX-License-Identifier: Apache-2.0
import Glibc
import TCPStateCore
import TestSupport
import Testing

@Suite struct IPAddressTests {
  @Test(arguments: [
    ("0.0.0.0", UInt32(0)), ("10.0.0.5", 0x0a00_0005), ("255.255.255.255", 0xffff_ffff),
    ("1.20.100.200", 0x0114_64c8),
  ])
  func ipv4(_ text: String, _ number: UInt32) throws {
    let address = try #require(IPAddress(parsing: text))
    #expect(address.isIPv4)
    #expect(address.v4 == number)
    #expect(address == IPAddress(v4: number))
    #expect(IPAddress(parsing: "::ffff:\(text)") == address)
  }

  @Test(arguments: [
    ("::", UInt64(0), UInt64(0)), ("::1", 0, 1), ("1::", 1 << 48, 0),
    ("2001:db8::1", 0x2001_0db8_0000_0000, 1), ("2001:DB8::A", 0x2001_0db8_0000_0000, 10),
    ("1:2:3:4:5:6:7:8", 0x0001_0002_0003_0004, 0x0005_0006_0007_0008),
    ("1:2:3:4:5:6:7::", 0x0001_0002_0003_0004, 0x0005_0006_0007_0000),
    ("::10.0.0.9", 0, 0x0a00_0009), ("64:ff9b::1.2.3.4", 0x0064_ff9b_0000_0000, 0x0102_0304),
  ])
  func ipv6(_ text: String, _ high: UInt64, _ low: UInt64) {
    #expect(IPAddress(parsing: text) == IPAddress(high: high, low: low))
  }

  @Test(arguments: [
    "", ".", "1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.4 ", " 1.2.3.4", "01.2.3.4", "1..2.3", "1.2.3.",
    "-1.2.3.4", "+1.2.3.4", "1.2.3.a", "٣.1.1.1", ":", ":::", "1:::2", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
    "::1:2:3:4:5:6:7:8", ":1::", "1:", "::12345", "::g", "::+1", "::-0", "-0::", "::1.2.3", "::1.2.3.4:5", "fe80::1%lo",
    "1.2.3.4::", "localhost",
  ])
  func noAddress(_ text: String) {
    #expect(IPAddress(parsing: text) == nil)
  }

  /// Random text made of parts of addresses is accepted, and read, as by inet_pton().
  @Test func likeInetPton() {
    var random = SeededGenerator(seed: 3)
    let parts = ["0", "1", "ff", "ffff", "12345", ":", "::", ".", "10.0.0.1", "255", "-0", "+1", "a", "g", "2001:db8"]
    var accepted = 0
    for _ in 0..<200_000 {
      var text = ""
      for _ in 0..<Int.random(in: 1...12, using: &random) {
        text += parts.randomElement(using: &random)!
        if Bool.random(using: &random) { text += ":" }
      }
      let expected = Self.inetPton(text)
      let actual = IPAddress(parsing: text)
      if expected != nil { accepted += 1 }
      if actual != expected {
        Issue.record("'\(text)' reads as \(String(describing: actual)), not \(String(describing: expected))")
        return
      }
    }
    #expect(accepted > 1000, "the generator makes valid addresses too")
  }

  private static func inetPton(_ text: String) -> IPAddress? {
    withUnsafeTemporaryAllocation(byteCount: 16, alignment: 8) { buffer in
      let base = buffer.baseAddress!
      if inet_pton(AF_INET6, text, base) == 1 { return IPAddress(networkOrder: base) }
      if inet_pton(AF_INET, text, base) == 1 { return IPAddress(v4: UInt32(bigEndian: base.load(as: UInt32.self))) }
      return nil
    }
  }

  @Test func groups() throws {
    let address = try #require(IPAddress(parsing: "1:2:3:4:5:6:7:8"))
    for index in 0..<8 { #expect(address.group(index) == UInt16(index + 1)) }
  }

  @Test func unspecified() throws {
    #expect(IPAddress.unspecified.isUnspecified)
    #expect(try #require(IPAddress(parsing: "0.0.0.0")).isUnspecified)
    #expect(try !#require(IPAddress(parsing: "::1")).isUnspecified)
    #expect(try !#require(IPAddress(parsing: "::1.2.3.4")).isIPv4, "v4-compatible isn't v4-mapped")
  }
}
