// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
@testable import TCPStateReport
import Testing

@Suite struct FittedTextTests {
  private static func endpoint(_ address: String, _ port: UInt16 = 443) -> Endpoint {
    Endpoint(address: IPAddress(parsing: address) ?? .unspecified, port: port)
  }

  /// IPv6 loses groups in its middle; the port never loses anything.
  @Test func endpoints() {
    let long = Self.endpoint("2001:db8:85a3:1234:5678:8a2e:370:7334", 40_004)
    let expected = [
      (60, "[2001:db8:85a3:1234:5678:8a2e:370:7334]:40004"), (45, "[2001:db8:85a3:1234:5678:8a2e:370:7334]:40004"),
      (44, "[2001:db8:85a3:…:5678:8a2e:370:7334]:40004"), (30, "[2001:db8:…:370:7334]:40004"),
      (24, "[2001:…:370:7334]:40004"),
      (21, "[2001:…:7334]:40004"), (18, "[…:7334]:40004"), (1, "[…:7334]:40004"),
    ]
    for (width, text) in expected { #expect(EndpointText.string(long, fitting: width) == text) }
    #expect(EndpointText.string(long, fitting: 21, glyphs: .ascii) == "[2001:~:7334]:40004")
    #expect(EndpointText.string(Self.endpoint("2001:db8::1"), fitting: 17) == "[2001:db8::1]:443")
    #expect(EndpointText.string(Self.endpoint("192.168.100.200", 59_019), fitting: 5) == "192.168.100.200:59019")
    #expect(EndpointText.string(Self.endpoint("::ffff:10.0.0.9", 0), fitting: 5) == "10.0.0.9:*")
    #expect(EndpointText.string(.none, fitting: 1) == "–")
    // What is written into a buffer is the same.
    for width in 1...60 {
      var buffer = ByteBuffer(capacity: 64)
      let columns = EndpointText.append(long, fitting: width, glyphs: .unicode, to: &buffer)
      #expect(buffer.text == EndpointText.string(long, fitting: width) && columns == DisplayWidth.of(buffer.text))
    }
  }

  @Test func owners() {
    func owner(_ name: String, _ width: Int, _ kind: OwnerKind? = nil) -> String {
      var buffer = ByteBuffer(capacity: 64)
      let columns = OwnerText.append(
        name: ShortName(bytes: name.utf8), pid: 4_194_303, kind: kind, fitting: width, glyphs: .unicode, to: &buffer)
      #expect(columns == DisplayWidth.of(buffer.text))
      return buffer.text
    }
    #expect(owner("nginx", 13) == "nginx/4194303")
    #expect(owner("nginx", 12) == "ngi…/4194303")
    #expect(owner("nginx", 12, .inherited) == "ng…/4194303?")
    #expect(owner("nginx", 1) == "n…/4194303")
    #expect(owner("日本語日本", 14) == "日本…/4194303")
    #expect(owner("\u{1b}[2J", 13) == "\\x1b…/4194303")
  }

  @Test func lines() {
    #expect(FittedText.cut("abcdef", to: 6) == "abcdef" && FittedText.cut("abcdef", to: 4) == "abc…")
    #expect(FittedText.cut("日本語", to: 4) == "日…" && FittedText.cut("abc", to: 1, .ascii) == "~")
    #expect(FittedText.wrapped("one two three", width: 7, rest: "  ") == ["one two", "  three"])
    #expect(
      FittedText.wrapped("a much-too-long word", width: 6, first: "- ", rest: "  ") == [
        "- a", "  much", "  -too", "  -lon", "  g", "  word",
      ])
    #expect(FittedText.wrapped("", width: 6) == [""])
  }

  /// No colour is pale on a white background, and none depends on a theme's bright colours.
  @Test func colors() {
    let all = (TCPState.all.map { StateColor.of($0) } + [StateColor.alarm, StateColor.warning]).map(\.description)
    #expect(all.allSatisfy { !$0.contains("33m") && !$0.contains(";") })
    #expect(StateColor.of(.closeWait, lasting: 30_000)?.description == nil)
    #expect(StateColor.of(.established, lasting: .max)?.description == nil)
    #expect(StateColor.of(.synSent, lasting: 1_000_000_000)?.description == StateColor.warning.description)
    #expect(StateColor.of(.synSent, lasting: 10_000_000_000)?.description == StateColor.alarm.description)
    #expect(StateColor.of(.finWait2, lasting: 9_000_000_000)?.description == nil)
    #expect(StateColor.of(.lastAck, lasting: 60_000_000_000)?.description == StateColor.alarm.description)
  }
}
