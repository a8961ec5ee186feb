// SPDX-License-Identifier: Apache-2.0
import ExporterMetrics
import TCPStateCore
import Testing

/// How series are written in both formats.
@Suite struct ExpositionTests {
  private let gauge = MetricFamily("test_things", .gauge, ["kind"], help: "Things.", basis: "")
  private let counter = MetricFamily("test_seconds_total", .counter, help: "Time.", basis: "")
  private let histogram = MetricFamily("test_wait_seconds", .histogram, ["role"], help: "Waits.", basis: "")

  private func page(created: UInt64? = nil) -> (text: String, openMetrics: String) {
    var page = Exposition(created: created)
    page.begin(gauge)
    page.add(Labels(["kind": "a"]), 0)
    page.add(Labels(["kind": "b\"\\\n{}"]), UInt64.max)
    page.begin(counter)
    page.add(nanoseconds: 1_000_000_001)
    var waits = BucketHistogram(.handshakes)
    waits.record(100_000)
    waits.record(100_001)
    waits.record(20_000_000_000)
    page.begin(histogram)
    page.add(Labels(["role": "client"]), waits)
    let (text, openMetrics) = page.finish()
    return (String(decoding: text, as: UTF8.self), String(decoding: openMetrics, as: UTF8.self))
  }

  @Test func textFormat() {
    #expect(
      page().text == """
        # HELP test_things Things.
        # TYPE test_things gauge
        test_things{kind="a"} 0
        test_things{kind="b\\"\\\\\\n{}"} 18446744073709551615
        # HELP test_seconds_total Time.
        # TYPE test_seconds_total counter
        test_seconds_total 1.000000001
        # HELP test_wait_seconds Waits.
        # TYPE test_wait_seconds histogram
        test_wait_seconds_bucket{role="client",le="0.0001"} 1
        test_wait_seconds_bucket{role="client",le="0.001"} 2
        test_wait_seconds_bucket{role="client",le="0.005"} 2
        test_wait_seconds_bucket{role="client",le="0.025"} 2
        test_wait_seconds_bucket{role="client",le="0.1"} 2
        test_wait_seconds_bucket{role="client",le="0.25"} 2
        test_wait_seconds_bucket{role="client",le="0.5"} 2
        test_wait_seconds_bucket{role="client",le="1.0"} 2
        test_wait_seconds_bucket{role="client",le="3.0"} 2
        test_wait_seconds_bucket{role="client",le="7.0"} 2
        test_wait_seconds_bucket{role="client",le="15.0"} 2
        test_wait_seconds_bucket{role="client",le="+Inf"} 3
        test_wait_seconds_sum{role="client"} 20.000200001
        test_wait_seconds_count{role="client"} 3

        """)
  }

  /// A counter's family has no `_total`, a unit ends the family's name, and the page ends with a mark.
  @Test func openMetrics() {
    let lines = page().openMetrics.split(separator: "\n").map { String($0) }
    #expect(lines.contains("# TYPE test_seconds counter"))
    #expect(lines.contains("# HELP test_seconds Time."))
    #expect(lines.contains("# UNIT test_seconds seconds"))
    #expect(lines.contains("# UNIT test_wait_seconds seconds"))
    #expect(lines.contains("test_seconds_total 1.000000001"))
    #expect(lines.last == "# EOF")
    #expect(!lines.contains { $0.contains("_created") })
    #expect(!lines.contains { $0.hasPrefix("# UNIT test_things") })
  }

  /// `_created` follows the samples of its metric, in OpenMetrics only.
  @Test func created() {
    let (text, openMetrics) = page(created: 1_500_000_000)
    let lines = openMetrics.split(separator: "\n").map { String($0) }
    #expect(
      lines.firstIndex(of: "test_seconds_created 1.500000000")
        == lines.firstIndex(of: "test_seconds_total 1.000000001").map { $0 + 1 })
    #expect(lines.contains("test_wait_seconds_created{role=\"client\"} 1.500000000"))
    #expect(!openMetrics.contains("test_things_created"))
    #expect(!text.contains("_created"))
  }

  @Test func seriesAreCounted() {
    var page = Exposition()
    page.begin(gauge)
    page.add(Labels(["kind": "a"]), 1)
    page.begin(histogram)
    page.add(Labels(["role": "client"]), BucketHistogram(.handshakes))
    #expect(page.series.map(\.family) == ["test_things", "test_wait_seconds"])
    #expect(page.series.map(\.count) == [1, 14])
  }
}
