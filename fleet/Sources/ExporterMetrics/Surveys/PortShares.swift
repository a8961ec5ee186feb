// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TCPStateReport

/// The series about ephemeral ports, and which pairs people should hear of.
package struct PortShares: Sendable {
  private static let thresholds: [(label: String, percent: UInt64)] = [("0.5", 50), ("0.8", 80), ("0.95", 95)]
  /// From which share a pair is named in the log, in percent.
  private static let loggedFrom: UInt64 = 80
  /// Nanoseconds between two lines about the same pair.
  private static let pause: UInt64 = 600_000_000_000
  /// The most lines about one reading.
  private static let mostLines = 5

  private let ranks: Int
  private var fullest: [PortUse.Pair] = []
  private var above: [UInt64] = thresholds.map { _ in 0 }
  private var logged: [String: UInt64] = [:]

  package init(ranks: Int) {
    self.ranks = ranks
  }

  /// Takes a reading.
  ///
  /// - Parameters:
  ///   - pairs: the fullest first.
  ///   - now: nanoseconds, on a clock that is never set.
  /// - Returns: lines for the log. They name addresses, which no label does.
  package mutating func take(_ pairs: [PortUse.Pair], now: UInt64) -> [String] {
    fullest = Array(pairs.prefix(ranks))
    above = Self.thresholds.map { threshold in
      UInt64(pairs.prefix { $0.exceeds(percent: threshold.percent) }.count)
    }
    logged = logged.filter { now - $0.value < Self.pause }
    var lines: [String] = []
    for pair in pairs.prefix(while: { $0.exceeds(percent: Self.loggedFrom) }) where lines.count < Self.mostLines {
      let ends = "\(AddressText.string(pair.source)) to \(EndpointText.string(pair.destination))"
      let key = "\(pair.netns) \(ends)"
      guard logged[key] == nil else { continue }
      logged[key] = now
      lines.append(
        "ephemeral ports from \(ends): \(NumberText.string(pair.used)) of \(NumberText.string(pair.available)) are in use "
          + "(\(pair.percent) %), in network namespace \(pair.netns); "
          + "sudo tcpstate-trace stuck --state time-wait shows which process uses them")
    }
    return lines
  }

  package func write(to page: inout Exposition) {
    page.begin(MetricFamilies.portsUsed)
    for (index, pair) in fullest.enumerated() { page.add(Labels(["rank": String(index + 1)]), pair.used) }
    page.begin(MetricFamilies.portsAvailable)
    for (index, pair) in fullest.enumerated() { page.add(Labels(["rank": String(index + 1)]), pair.available) }
    page.begin(MetricFamilies.portPairsAbove)
    for (threshold, count) in zip(Self.thresholds, above) { page.add(Labels(["threshold": threshold.label]), count) }
  }
}
