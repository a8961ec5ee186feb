// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TCPStateReport
import Testing

@Suite struct DurationTextTests {
  @Test(arguments: [
    (0, "0 ns"), (999, "999 ns"), (1_000, "1.00 µs"), (380_000, "380 µs"), (999_499, "999 µs"),
    (999_500, "1.00 ms"), (1_204_999, "1.20 ms"), (1_205_000, "1.21 ms"), (9_995_000, "10.0 ms"),
    (12_400_000, "12.4 ms"), (99_950_000, "100 ms"), (999_600_000, "1.00 s"), (5_790_000_000, "5.79 s"),
    (31_000_000_000, "31.0 s"), (59_949_999_999, "59.9 s"), (59_950_000_000, "1 m 0 s"),
    (60_000_000_000, "1 m 0 s"), (124_999_999_999, "2 m 4 s"), (3_599_999_999_999, "59 m 59 s"),
    (3_600_000_000_000, "1 h 0 m"), (11_579_000_000_000, "3 h 12 m"), (86_399_000_000_000, "23 h 59 m"),
    (86_400_000_000_000, "1 d 0 h"), (352_800_000_000_000, "4 d 2 h"), (UInt64.max, "213503 d 23 h"),
  ])
  func exact(_ nanoseconds: UInt64, _ text: String) {
    #expect(DurationText.string(nanoseconds) == text)
  }

  /// A lower bound is never rounded up, so it stays true.
  @Test(arguments: [
    (999_999, "≥ 999 µs"), (1_209_999, "≥ 1.20 ms"), (59_999_999_999, "≥ 59.9 s"),
    (11_579_000_000_000, "≥ 3 h 12 m"), (0, "≥ 0 ns"),
  ])
  func atLeast(_ nanoseconds: UInt64, _ text: String) {
    #expect(DurationText.string(nanoseconds, kind: .atLeast) == text)
  }

  @Test func columns() {
    var buffer = ByteBuffer()
    #expect(DurationText.append(380_000, kind: .atLeast, to: &buffer) == 8)
    #expect(buffer.text == "≥ 380 µs")
    buffer.removeAll()
    #expect(DurationText.append(380_000, kind: .atLeast, glyphs: .ascii, to: &buffer) == 9)
    #expect(buffer.text == ">= 380 us")
  }

  @Test(arguments: [
    ("250ms", 250_000_000), ("30s", 30_000_000_000), ("5m", 300_000_000_000), ("2h", 7_200_000_000_000),
    ("1d", 86_400_000_000_000), ("1.5s", 1_500_000_000), ("0.25ms", 250_000), ("10us", 10_000),
    ("10µs", 10_000), ("7ns", 7), ("1.5ns", 1), ("0s", 0), ("007s", 7_000_000_000),
    ("18446744073709551615ns", UInt64.max), ("1.000000001s", 1_000_000_001),
    ("5", 5_000_000_000), ("1.5", 1_500_000_000), ("10sec", 10_000_000_000), ("1min", 60_000_000_000),
    ("2minutes", 120_000_000_000), ("1hour", 3_600_000_000_000), ("3days", 259_200_000_000_000),
  ])
  func parsed(_ text: String, _ nanoseconds: UInt64) {
    #expect(DurationText.parse(text) == nanoseconds)
  }

  @Test(arguments: [
    "", "s", "-5s", "+5s", " 5s", "5s ", "5 s", "5S", "1.s", ".5s", "1.5.5s", "5ss", "1h30m", "1e3s",
    "٣s", "5w", "18446744073709551616ns", "213504d", "99999999999999999999d", "999999999999999999999s", "nan",
  ])
  func refused(_ text: String) {
    #expect(DurationText.parse(text) == nil)
  }

  @Test func numbers() {
    #expect(NumberText.string(0) == "0")
    #expect(NumberText.string(999) == "999")
    #expect(NumberText.string(9_120) == "9,120")
    #expect(NumberText.string(100_000) == "100,000")
    #expect(NumberText.string(.max) == "18,446,744,073,709,551,615")
    #expect(ByteCountText.string(4_096) == "4,096 B")
    #expect(ByteCountText.string(0) == "0")
  }
}
