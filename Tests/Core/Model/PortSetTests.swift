// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import Testing

@Suite struct PortSetTests {
  @Test(
    arguments: [
      ("443", [443]), ("1", [1]), ("65535", [65_535]), ("443,8000-8002", [443, 8000, 8001, 8002]),
      ("80,80,79-81", [79, 80, 81]), ("7-7", [7]), ("63-64", [63, 64]), ("0080", [80]),
    ] as [(String, [UInt16])])
  func lists(_ text: String, _ ports: [UInt16]) throws {
    let set = try PortSet(parsing: text)
    #expect((UInt16.min...UInt16.max).filter { set.contains($0) } == ports)
  }

  @Test func wholeRange() throws {
    let set = try PortSet(parsing: "1-65535")
    #expect(!set.contains(0))
    #expect((UInt16(1)...UInt16.max).allSatisfy { set.contains($0) })
  }

  /// The error names the wrong part.
  @Test(arguments: [
    ("", ""), ("0", "0"), ("65536", "65536"), ("abc", "abc"), ("80,", ""), (",80", ""), ("80,,90", ""),
    ("80, 90", " 90"), ("-80", "-80"), ("80-", "80-"), ("-", "-"), ("90-80", "90-80"), ("1-2-3", "1-2-3"),
    ("80,x-1,y", "x-1"), ("+80", "+80"), ("1e3", "1e3"), ("٨٠", "٨٠"), ("99999999999999999999", "99999999999999999999"),
  ])
  func badLists(_ text: String, _ part: String) {
    let error = #expect(throws: PortListError.self) { try PortSet(parsing: text) }
    #expect(error?.part == part)
    #expect(error?.description.contains("'\(part)'") == true)
  }

  @Test func empty() {
    #expect(!PortSet().contains(0))
    #expect(PortSet() == PortSet())
  }
}
