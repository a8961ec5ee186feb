// SPDX-License-Identifier: Apache-2.0
import Glibc
import TCPStateCore
import TestSupport
import Testing

@Suite struct DurationHistogramTests {
  enum Distribution: CaseIterable {
    case uniform, small, exponential, logUniform, twoPeaks, constant, years

    func value(_ random: inout SeededGenerator) -> UInt64 {
      switch self {
      case .uniform: .random(in: 0...10_000_000_000, using: &random)
      case .small: .random(in: 0...600, using: &random)
      case .exponential: UInt64(-log(1 - Double.random(in: 0..<1, using: &random)) * 50_000_000)
      case .logUniform: 1 << UInt64.random(in: 0..<60, using: &random) | UInt64.random(in: 0...63, using: &random)
      case .twoPeaks:
        Bool.random(using: &random)
          ? .random(in: 20_000...30_000, using: &random) : .random(in: 59_900_000_000...60_100_000_000, using: &random)
      case .constant: 60_000_000_123
      case .years: .random(in: 0...(.max / 4), using: &random)
      }
    }
  }

  @Test(arguments: Distribution.allCases)
  func quantilesAgainstSorting(_ distribution: Distribution) throws {
    var random = SeededGenerator(seed: 11)
    var histogram = DurationHistogram()
    let values = (0..<50_000).map { _ in distribution.value(&random) }
    for value in values { histogram.record(value) }
    let sorted = values.sorted()
    for quantile in [0, 0.001, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1] {
      let rank = max(1, Int((Double(sorted.count) * quantile).rounded(.up)))
      let truth = Double(sorted[rank - 1])
      let middle = histogram.quantile(quantile)
      let found = try Double(#require(middle))
      #expect(abs(found - truth) <= truth * 0.004, "\(quantile): \(found) for \(truth)")
    }
    #expect(histogram.count == 50_000)
    #expect(histogram.longest == sorted.last)
    let (total, overflow) = values.reduce((UInt64(0), false)) { sum, value in
      let (next, over) = sum.0.addingReportingOverflow(value)
      return (next, sum.1 || over)
    }
    #expect(histogram.total == (overflow ? .max : total))
  }

  @Test func empty() {
    let histogram = DurationHistogram()
    let middle = histogram.quantile(0.5)
    #expect(middle == nil)
    #expect(histogram.count == 0)
    #expect(histogram.longest == 0)
  }

  @Test func oneValueIsExact() {
    for value in [0, 1, 255, 256, 257, 12_345, 60_000_000_000] as [UInt64] {
      var histogram = DurationHistogram()
      histogram.record(value)
      let quantile = Double(histogram.quantile(0.5) ?? .max)
      #expect(abs(quantile - Double(value)) <= Double(value) * 0.004)
      #expect(histogram.total == value)
    }
  }

  /// Even the largest numbers have a bucket.
  @Test func theLargest() throws {
    var histogram = DurationHistogram()
    histogram.record(.max)
    let largest = histogram.quantile(1)
    #expect(try #require(largest) > .max / 256 * 255)
    #expect(histogram.longest == .max)
    histogram.record(.max)
    #expect(histogram.total == .max, "it saturates")
  }
}
