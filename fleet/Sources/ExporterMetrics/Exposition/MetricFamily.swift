// SPDX-License-Identifier: Apache-2.0

/// One family of series: what the formats' headers say of it, and what the documentation adds.
///
/// `MetricFamilies` is the one table of them. The page, the check of its names and docs/exporter.md come from there.
package struct MetricFamily: Sendable {
  /// As Prometheus stores it: a counter's name ends with `_total`.
  package let name: String
  package let kind: MetricKind
  /// In the order in which they are written.
  package let labels: [String]
  /// One sentence, without quotes, backslashes and line ends.
  package let help: String
  /// What the number is known from, and what it leaves out; for the documentation.
  package let basis: String

  package init(_ name: String, _ kind: MetricKind, _ labels: [String] = [], help: String, basis: String) {
    self.name = name
    self.kind = kind
    self.labels = labels
    self.help = help
    self.basis = basis
  }

  /// The family's name in OpenMetrics, which keeps `_total` for a counter's samples (section 5.1 of the specification,
  /// "Counter").
  package var openMetricsName: String {
    kind == .counter && name.hasSuffix("_total") ? String(name.dropLast("_total".count)) : name
  }

  /// The base unit, which in OpenMetrics ends the family's name; `nil` for a plain count.
  package var unit: String? {
    ["seconds", "bytes"].first { openMetricsName.hasSuffix("_" + $0) }
  }
}

/// The kind of a metric family, with the word that both formats use for it.
package enum MetricKind: String, Sendable {
  case gauge, counter, histogram
}
