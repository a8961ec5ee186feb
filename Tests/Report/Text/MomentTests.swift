// SPDX-License-Identifier: Apache-2.0
import TCPStateReport
import Testing

@Suite struct MomentTests {
  private static let second: UInt64 = 1_000_000_000
  /// 2026-11-23T21:12:03.204131Z
  private static let start: UInt64 = 1_795_468_323_204_131_000

  /// Texts, and the nanoseconds from the start's whole second on.
  private static let cases: [(String, UInt64)] = [
    ("2026-11-23T21:12:03.204131000Z", 204_131_000), ("2026-11-23t21:12:03z", 0),
    ("2026-11-23 22:12:03+01:00", 0), ("2026-11-23T16:12:03.5-05:00", 500_000_000),
    ("+90s", 90_204_131_000), ("+0s", 204_131_000),
    // The first such time of day from the start on.
    ("21:12:04", 1_000_000_000), ("21:12:03", 86_400_000_000_000), ("21:13", 57_000_000_000),
    ("21:12:03.204131", 204_131_000), ("00:00", 10_077_000_000_000),
  ]

  @Test(arguments: cases) func times(_ text: String, _ after: UInt64) throws {
    let whole = Self.start / Self.second * Self.second
    #expect(try #require(Moment(parsing: text)).time(start: Self.start, utc: true) == whole + after)
  }

  @Test(arguments: [
    "", "+", "+soon", "+-1s", "21", "21:1", "24:00", "21:60", "21:12:03.", "21:12:03.1234567891", "21:12:3",
    "2026-11-23", "2026-11-31T00:00:00Z", "2026-11-23T21:12:03", "1960-01-01T00:00:00Z", "2026-11-23T21:12:03+1:00",
    "2026-11-23TT21:12:03Z x", "9999-12-31T00:00:00Z", "2554-07-21T23:34:33.999999999Z", "2554-07-21T23:59:60Z",
    "2262-04-11T23:47:16.854775807-00:01", "2262-04-12T00:00:00Z",
  ])
  func refused(_ text: String) {
    #expect(Moment(parsing: text) == nil)
  }

  @Test func overflow() {
    #expect(Moment.offset(.max).time(start: Self.start, utc: true) == nil)
    for start in [0, 1, UInt64(Int64.max) - 1, UInt64(Int64.max), .max - 1, .max] {
      for text in ["12:00", "00:00", "23:59:59", "+1ns", "+1000000h"] {
        let time = Moment(parsing: text)?.time(start: start, utc: true)
        #expect(time.map { $0 >= start } ?? true, "\(text) from \(start)")
      }
    }
  }
}
