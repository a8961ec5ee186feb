// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import Testing

@Suite struct NetworkTests {
  @Test(arguments: [
    ("10.0.0.0/8", 104), ("10.1.2.3", 128), ("0.0.0.0/0", 96), ("1.2.3.4/32", 128),
    ("2001:db8::/32", 32), ("::/0", 0), ("::1", 128), ("::ffff:10.0.0.0/104", 104), ("::1/128", 128),
  ])
  func prefixLengths(_ text: String, _ length: Int) throws {
    #expect(try #require(Network(parsing: text)).prefixLength == length)
  }

  @Test(arguments: [
    "", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8/8", "10.0.0.0/a",
    "10.0.0.0/ 8", "10.0.0/8", "::/129", "2001:db8::/", "abc", "10.0.0.0/99999999999999999999", "10.0.0.0/255.0.0.0",
  ])
  func noNetwork(_ text: String) {
    #expect(Network(parsing: text) == nil)
  }

  @Test(arguments: [
    ("10.0.0.0/8", "10.255.255.255", true), ("10.0.0.0/8", "11.0.0.0", false),
    ("10.0.0.0/8", "::ffff:10.1.1.1", true), ("10.0.0.0/8", "::10.1.1.1", false),
    // Bits past the length don't matter.
    ("10.9.9.9/8", "10.0.0.1", true), ("10.0.0.4/31", "10.0.0.5", true), ("10.0.0.4/31", "10.0.0.6", false),
    ("0.0.0.0/0", "255.255.255.255", true), ("0.0.0.0/0", "2001:db8::1", false),
    ("::/0", "2001:db8::1", true), ("2001:db8::/32", "2001:db8:ffff::1", true), ("2001:db8::/32", "2001:db9::", false),
    ("2001:db8::/33", "2001:db8:8000::", false), ("2001:db8::/64", "2001:db8::ffff:0:0:1", true),
    ("2001:db8::/65", "2001:db8::8000:0:0:0", false), ("::1", "::1", true), ("::1", "::2", false),
  ])
  func containment(_ network: String, _ address: String, _ isIn: Bool) throws {
    let network = try #require(Network(parsing: network))
    #expect(try network.contains(#require(IPAddress(parsing: address))) == isIn)
  }
}
