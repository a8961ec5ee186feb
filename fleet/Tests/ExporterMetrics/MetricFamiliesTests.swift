// SPDX-License-Identifier: Apache-2.0
import ExporterMetrics
import Testing

/// The table of families, by the rules of Prometheus and OpenMetrics.
@Suite struct MetricFamiliesTests {
  @Test func names() {
    #expect(Set(MetricFamilies.all.map(\.name)).count == MetricFamilies.all.count)
    for family in MetricFamilies.all {
      #expect(family.name.wholeMatch(of: /[a-z][a-z0-9]*(_[a-z0-9]+)*/) != nil, "\(family.name)")
      #expect(family.name.hasPrefix("tcpstate_") || family.name.hasPrefix("process_"))
      #expect((family.kind == .counter) == family.name.hasSuffix("_total"), "\(family.name)")
      // Suffixes that the formats give a meaning.
      for suffix in ["_count", "_sum", "_bucket", "_created"] { #expect(!family.openMetricsName.hasSuffix(suffix)) }
      for label in family.labels { #expect(label.wholeMatch(of: /[a-z]+/) != nil && label != "le") }
      #expect(family.help.hasSuffix(".") && !family.help.contains { "\"\\\n".contains($0) }, "\(family.name)")
    }
  }

  /// No label names an address or a process id, and none is one that scrapers or rules set.
  @Test func labels() {
    let labels = Set(MetricFamilies.all.flatMap(\.labels))
    #expect(
      labels.isDisjoint(with: [
        "address", "local", "peer", "pid", "instance", "job", "service", "owner", "region", "zone", "cluster", "env",
        "type", "stage",
      ]))
  }

  /// A histogram has at most twelve buckets for each of its labels, in seconds.
  @Test func histograms() {
    for family in MetricFamilies.all where family.kind == .histogram {
      #expect(family.unit == "seconds")
    }
    #expect(BucketHistogram.bucketCount == 12)
  }

  /// Each family of the table is on a page, in its order, and nothing else is.
  @Test func pageHasThemAll() {
    var metrics = ExporterMetrics(ExporterLimits())
    metrics.take([], listeners: [], now: second, stayOf: { _ in nil }, containerOf: { _ in nil })
    var vitals = ExporterVitals()
    (vitals.memory, vitals.lastReading) = (1, (time: 1, cost: 1))
    let lines = metrics.samples(vitals).text.split(separator: "\n")
    let names = lines.filter { $0.hasPrefix("# TYPE ") }.map { String($0.split(separator: " ")[2]) }
    #expect(names == MetricFamilies.all.map(\.name))
  }
}
