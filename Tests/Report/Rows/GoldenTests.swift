// SPDX-License-Identifier: Apache-2.0
import Foundation
import TCPStateCore
import TCPStateReport
import TestSupport
import Testing

@Suite struct GoldenTests {
  @Test(arguments: SampleTransitions.allCases, Rendering.allCases)
  func rendering(_ sample: SampleTransitions, _ rendering: Rendering) throws {
    let buffer = rendering.render(sample.rows)
    let actual = buffer.withBytes { Data($0) }
    let golden = Golden("\(sample.rawValue)/\(rendering.rawValue)")
    if let difference = try golden.difference(from: actual) {
      Issue.record(Comment(rawValue: difference))
    }
    #expect(String(validating: actual, as: UTF8.self) != nil, "not UTF-8")
  }

  /// No control character reaches a terminal except line ends and our own colours.
  @Test(arguments: SampleTransitions.allCases)
  func terminalSafety(_ sample: SampleTransitions) {
    for rendering in Rendering.allCases where ![.csv, .csvAll, .csvExcel].contains(rendering) {
      var text = rendering.render(sample.rows).text
      for code in ["0", "1", "2", "31", "35"] where rendering == .tableColor {
        text = text.replacingOccurrences(of: "\u{1b}[\(code)m", with: "")
      }
      let unsafe = text.unicodeScalars.filter {
        $0 != "\n" && ($0.properties.generalCategory == .control || $0.properties.generalCategory == .format)
      }
      #expect(unsafe.isEmpty, "\(rendering)")
    }
  }

  /// Rows of IPv4 connections with short names fit the width.
  @Test(arguments: [Rendering.table60, .table80, .table100, .table120, .table160, .table200])
  func fits(_ rendering: Rendering) throws {
    let width = try #require(rendering.width)
    for line in rendering.render(SampleTransitions.oneConnection.rows).text.split(separator: "\n") {
      #expect(DisplayWidth.of(String(line)) <= width, "\(line)")
    }
  }

  @Test func summary() throws {
    var established = StateSummary(state: .established)
    established.stays = 9_812
    established.p50 = 1_200_000
    established.p99 = 5_800_000_000
    established.longest = 31_000_000_000
    established.total = 124_000_000_000
    established.openNow = 37
    var closeWait = StateSummary(state: .closeWait)
    closeWait.stays = 80
    closeWait.p50 = 310_000
    closeWait.p99 = 31_000_000_000
    closeWait.longest = 11_520_000_000_000
    closeWait.longestIsLowerBound = true
    closeWait.total = 11_900_000_000_000
    closeWait.totalIsLowerBound = true
    closeWait.openNow = 4
    var listen = StateSummary(state: .listen)
    listen.openNow = 12
    for (name, style) in [
      ("plain", TableStyle()), ("color", TableStyle(color: true)), ("ascii", TableStyle(glyphs: .ascii)),
    ] {
      for (rows, what) in [([established, closeWait, listen], "summary"), ([], "summary-empty")] {
        var buffer = ByteBuffer()
        StateSummaryTable(rows, style: style).append(to: &buffer)
        let actual = buffer.withBytes { Data($0) }
        if let difference = try Golden("\(what)/\(name).txt").difference(from: actual) {
          Issue.record(Comment(rawValue: difference))
        }
      }
    }
  }
}
