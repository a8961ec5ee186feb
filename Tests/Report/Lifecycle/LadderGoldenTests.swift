// SPDX-License-Identifier: Apache-2.0
import Foundation
import TCPStateCore
import TCPStateReport
import TestSupport
import Testing

/// Ladders and their JSON, compared with golden files.
@Suite struct LadderGoldenTests {
  enum Scenario: String, CaseIterable, Sendable {
    case textbook, clientAlone = "client-alone", serverAlone = "server-alone", ipv6, reset, refused
    case beginningMissed = "beginning-missed", open, hostile

    var life: Lifecycle? {
      var script = LifeScript(ipv6: self == .ipv6)
      var sides: Set<Side> = [.client, .server]
      if self == .refused {
        script.go(.client, .synSent, at: 0)
        script.go(.client, .closed, at: 60) { $0.reason = .refused }
        return script.lives().first
      }
      if self == .hostile { script.client.ownerName = ShortName("\u{1b}[2J\"<b>") }
      script.handshake()
      if self == .beginningMissed { script.rows = [] }
      if self == .open { return script.lives().first }
      script.transfer(clientSends: 812, serverSends: 48_120)
      switch self {
      case .reset:
        script.go(.client, .closed, at: 5_800_000) {
          $0.reason = .aborted
          $0.resetReason = .tcpAbortOnLinger
        }
        script.go(.server, .closed, at: 5_800_040) { $0.reason = .resetReceived }
      case .serverAlone:
        sides = [.server]
        script.orderlyClose(.client, at: 5_800_000, timeWait: false)
      case .clientAlone:
        sides = [.client]
        script.orderlyClose(.client, at: 5_800_000, timeWait: false)
      default: script.orderlyClose(.client, at: 5_800_000)
      }
      return script.lives(sides).first
    }
  }

  enum Look: String, CaseIterable, Sendable {
    case narrow = "80.txt"
    case wide = "120.txt"
    case color = "120-color.txt"
    case ascii = "80-ascii.txt"
    case relative = "80-relative.txt"
    case json = "lives.jsonl"
  }

  private static func render(_ life: Lifecycle, _ look: Look) -> ByteBuffer {
    var buffer = ByteBuffer()
    if look == .json {
      var json = LifecycleJSON()
      json.append(life, to: &buffer)
      return buffer
    }
    let style = TableStyle(
      width: look == .wide || look == .color ? 120 : 80, color: look == .color, utc: true,
      glyphs: look == .ascii ? .ascii : .unicode)
    var ladder = LifecycleLadder(style: style, relative: look == .relative)
    ladder.append(life, to: &buffer)
    return buffer
  }

  @Test(arguments: Scenario.allCases, Look.allCases)
  func golden(_ scenario: Scenario, _ look: Look) throws {
    let life = try #require(scenario.life)
    let buffer = Self.render(life, look)
    if let difference = try Golden("ladder/\(scenario.rawValue)/\(look.rawValue)").difference(
      from: buffer.withBytes { Data($0) })
    {
      Issue.record(Comment(rawValue: difference))
    }
    if look == .ascii { #expect(buffer.text.utf8.allSatisfy { $0 < 0x80 }) }
    if look == .json { _ = try JSONSerialization.jsonObject(with: buffer.withBytes { Data($0) }) }
  }

  @Test(arguments: Scenario.allCases, [Look.narrow, .wide, .ascii, .relative])
  func fits(_ scenario: Scenario, _ look: Look) throws {
    let life = try #require(scenario.life)
    for line in Self.render(life, look).text.split(separator: "\n") {
      #expect(DisplayWidth.of(String(line)) <= (look == .wide ? 120 : 80), "\(line)")
      #expect(line.last != " ")
    }
  }
}
