// SPDX-License-Identifier: Apache-2.0
import TCPStateReport

/// A page of series, written in both formats at once: Prometheus' text format 0.0.4 and OpenMetrics 1.0.
///
/// Sample lines are the same in both, so each is rendered once. Families must come one after the other, each once.
package struct Exposition: ~Copyable {
  private var text = ByteBuffer(capacity: 128 * 1024)
  private var openMetrics = ByteBuffer(capacity: 128 * 1024)
  private var line = ByteBuffer(capacity: 1024)
  private var family: MetricFamily?
  /// How many series each family has, in the order of the families.
  package private(set) var series: [(family: String, count: UInt64)] = []
  /// Since when counters count, nanoseconds since the epoch; `nil` leaves `_created` out.
  private let created: UInt64?

  /// - Parameter created: since when counters and histograms count, for OpenMetrics' `_created` series.
  package init(created: UInt64? = nil) {
    self.created = created
  }

  package mutating func begin(_ family: MetricFamily) {
    self.family = family
    series.append((family.name, 0))
    Self.header(family.name, family, unit: nil, to: &text)
    Self.header(family.openMetricsName, family, unit: family.unit, to: &openMetrics)
  }

  private static func header(_ name: String, _ family: MetricFamily, unit: String?, to buffer: inout ByteBuffer) {
    buffer.append("# HELP \(name) \(family.help)\n# TYPE \(name) \(family.kind.rawValue)\n")
    if let unit { buffer.append("# UNIT \(name) \(unit)\n") }
  }

  /// Adds a series whose value is a plain number.
  package mutating func add(_ labels: Labels, _ value: UInt64) {
    open("", labels.text)
    line.append(decimal: value)
    close(labels)
  }

  /// Adds a series in seconds, exact to the nanosecond.
  package mutating func add(_ labels: Labels = .none, nanoseconds: UInt64) {
    open("", labels.text)
    line.append(nanoseconds, decimals: 9)
    close(labels)
  }

  package mutating func add(_ labels: Labels = .none, _ histogram: borrowing BucketHistogram) {
    var seen: UInt64 = 0
    for bucket in 0..<BucketHistogram.bucketCount {
      seen += histogram.count(inBucket: bucket)
      let bound = "le=\"\(histogram.bounds.text(bucket))\""
      open("_bucket", labels.text.isEmpty ? bound : labels.text + "," + bound)
      line.append(decimal: seen)
      endLine()
    }
    open("_sum", labels.text)
    line.append(histogram.total, decimals: 9)
    endLine()
    open("_count", labels.text)
    line.append(decimal: histogram.count)
    close(labels)
  }

  private mutating func open(_ suffix: StaticString, _ labels: String) {
    line.removeAll()
    line.append(family?.name ?? "")
    line.append(suffix)
    if !labels.isEmpty {
      line.append(UInt8(ascii: "{"))
      line.append(labels)
      line.append(UInt8(ascii: "}"))
    }
    line.append(UInt8(ascii: " "))
  }

  private mutating func endLine() {
    line.append(UInt8(ascii: "\n"))
    series[series.count - 1].count += 1
    text.append(line)
    openMetrics.append(line)
  }

  /// Ends the last line of a metric.
  private mutating func close(_ labels: Labels) {
    endLine()
    guard let created, let family, family.kind != .gauge else { return }
    // Not counted as a series of the page: only one of the formats has it.
    line.removeAll()
    line.append("\(family.openMetricsName)_created\(labels.text.isEmpty ? "" : "{\(labels.text)}") ")
    line.append(created, decimals: 9)
    line.append(UInt8(ascii: "\n"))
    openMetrics.append(line)
  }

  /// Ends the page.
  package consuming func finish() -> (text: [UInt8], openMetrics: [UInt8]) {
    openMetrics.append("# EOF\n" as StaticString)
    return (text.withBytes { [UInt8]($0) }, openMetrics.withBytes { [UInt8]($0) })
  }
}
