// SPDX-License-Identifier: Apache-2.0
import ExporterMetrics
import Testing

@Suite struct TopSeriesTests {
  @Test func theHighestHaveSeries() {
    var top = TopSeries(limit: 2, linger: 10)
    top.choose(["a": 1, "b": 3, "c": 2, "d": 0], now: 100)
    #expect(top.members == ["b", "c"])
    #expect(top.foldedTotal == 1)
  }

  /// Two that score about the same don't take turns.
  @Test func aMemberIsReplacedOnlyByAClearlyHigherOne() {
    var top = TopSeries(limit: 1, linger: 10)
    top.choose(["a": 100, "b": 90], now: 100)
    top.choose(["a": 100, "b": 125], now: 101)
    #expect(top.members == ["a"])
    top.choose(["a": 100, "b": 126], now: 102)
    #expect(top.members == ["b"])
  }

  /// An alert is resolved by a zero, so the series stays for a while; but not if another one needs the place.
  @Test func aMemberWithoutAScoreLingers() {
    var top = TopSeries(limit: 2, linger: 10)
    top.choose(["a": 5, "b": 5], now: 100)
    top.choose(["b": 5], now: 109)
    #expect(top.members == ["a", "b"])
    top.choose(["b": 5], now: 110)
    #expect(top.members == ["b"])
    top.choose(["a": 5, "b": 5], now: 111)
    top.choose(["b": 5, "c": 1], now: 112)
    #expect(top.members == ["b", "c"])
  }

  /// A process may call itself "other".
  @Test func aSubjectNamedOtherIsOneOfTheOthers() {
    var top = TopSeries(limit: 3, linger: 10)
    top.choose(["other": 50, "a": 1], now: 100)
    #expect(top.members == ["a"])
    #expect(top.foldedTotal == 1)
  }

  @Test func whatStaysFoldedCountsOnce() {
    var top = TopSeries(limit: 1, linger: 10)
    for now in 100..<105 as Range<UInt64> { top.choose(["a": 9, "b": 1, "c": 1], now: now) }
    #expect(top.foldedTotal == 2)
    top.choose(["a": 9, "c": 1], now: 105)
    top.choose(["a": 9, "b": 1, "c": 1], now: 106)
    #expect(top.foldedTotal == 3)
  }

  @Test func noneAtAll() {
    var top = TopSeries(limit: 0, linger: 10)
    top.choose(["a": 1], now: 1)
    #expect(top.members.isEmpty && top.foldedTotal == 1)
  }
}
