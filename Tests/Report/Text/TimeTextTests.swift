// SPDX-License-Identifier: Apache-2.0
import Foundation
import TCPStateReport
import TestSupport
import Testing

@Suite struct TimeTextTests {
  @Test(arguments: [
    (0, "1970-01-01T00:00:00.000000000Z"),
    (1_795_468_323_204_131_000, "2026-11-23T21:12:03.204131000Z"),
    (951_782_400_000_000_001, "2000-02-29T00:00:00.000000001Z"),
    (4_107_542_399_999_999_999, "2100-02-28T23:59:59.999999999Z"),
    (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000000000Z"),
    (UInt64.max, "2554-07-21T23:34:33.709551615Z"),
  ])
  func rfc3339(_ nanoseconds: UInt64, _ text: String) {
    #expect(TimeText.string(rfc3339: nanoseconds) == text)
  }

  /// What is kept of one time doesn't leak into the next, in any order.
  @Test func sameAsGmtime() {
    var random = SeededGenerator(seed: 2)
    var time = TimeText()
    var buffer = ByteBuffer()
    for _ in 0..<20_000 {
      let nanoseconds = UInt64.random(in: 0..<7_000_000_000_000_000_000, using: &random)
      var seconds = time_t(nanoseconds / 1_000_000_000)
      var parts = tm()
      gmtime_r(&seconds, &parts)
      buffer.removeAll()
      time.append(rfc3339: nanoseconds, to: &buffer)
      let expected = String(
        format: "%04d-%02d-%02dT%02d:%02d:%02d.%09lluZ", parts.tm_year + 1_900, parts.tm_mon + 1,
        parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, nanoseconds % 1_000_000_000)
      #expect(buffer.text == expected)
      if buffer.text != expected { break }
    }
  }

  @Test func utcClock() {
    var clock = ClockText(utc: true)
    var buffer = ByteBuffer()
    clock.append(SampleTransitions.start, precision: .microseconds, to: &buffer)
    buffer.append(UInt8(ascii: " "))
    clock.append(SampleTransitions.start + 999_999, precision: .milliseconds, to: &buffer)
    #expect(buffer.text == "21:12:03.204131 21:12:03.205")
  }

  /// Local times are the C library's, also across a change of the zone's offset.
  @Test func localClock() {
    var clock = ClockText(utc: false)
    var buffer = ByteBuffer()
    for second in stride(from: 1_774_000_000, to: 1_795_000_000, by: 1_799) {
      var seconds = time_t(second)
      var parts = tm()
      localtime_r(&seconds, &parts)
      buffer.removeAll()
      clock.append(UInt64(second) * 1_000_000_000, precision: .milliseconds, to: &buffer)
      let expected = String(format: "%02d:%02d:%02d.000", parts.tm_hour, parts.tm_min, parts.tm_sec)
      #expect(buffer.text == expected)
      if buffer.text != expected { break }
    }
  }
}
