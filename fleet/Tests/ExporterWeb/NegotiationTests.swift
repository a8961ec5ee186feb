// SPDX-License-Identifier: Apache-2.0
import Testing

import ExporterWeb

@Suite struct NegotiationTests {
  /// What Prometheus 2.42 and 3.x send, and what people type.
  @Test(arguments: [
    ([], Negotiation.Format.text),
    (["*/*"], .text),
    (["text/plain"], .text),
    (["application/openmetrics-text"], .openMetrics(version: "0.0.1")),
    (
      [
        "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
          + "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
      ], .openMetrics(version: "1.0.0")
    ),
    (
      [
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,"
          + "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
          + "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;q=0.3,text/plain;version=0.0.4;q=0.2,"
          + "/;q=0.1"
      ], .openMetrics(version: "1.0.0")
    ),
    (["text/plain;version=0.0.4, application/openmetrics-text;version=1.0.0"], .text),
    (["text/plain;q=0.4", "application/openmetrics-text;version=1.0.0;q=0.5"], .openMetrics(version: "1.0.0")),
    (["APPLICATION/OpenMetrics-Text; VERSION=\"1.0.0\"; Q=1"], .openMetrics(version: "1.0.0")),
    (["application/openmetrics-text;version=2.0.0, text/plain;q=0.1"], .text),
    (["application/openmetrics-text;q=0, text/html"], .text),
    (["application/openmetrics-text;q=nan, */*;q=0.1"], .text),
    (["application/json"], .text),
    ([";;;,,,=,q=1"], .text),
  ])
  func format(accept: [String], expected: Negotiation.Format) {
    #expect(Negotiation.format(accept: accept) == expected)
  }

  @Test(arguments: [
    ([], false), (["gzip"], true), (["deflate, gzip;q=0.5"], true), (["gzip;q=0"], false), (["*"], true),
    (["*;q=0"], false),
    (["gzip;q=0, *"], false), (["identity"], false), (["br", "x-gzip"], true), (["gzip;q=2"], false),
  ])
  func gzip(acceptEncoding: [String], expected: Bool) {
    #expect(Negotiation.acceptsGzip(acceptEncoding: acceptEncoding) == expected)
  }

  @Test func aHeaderOfManyElementsCostsLittle() {
    let long = String(repeating: "text/html,", count: 100_000) + "application/openmetrics-text;version=1.0.0"
    #expect(Negotiation.format(accept: [long]) == .text)
  }

  @Test(arguments: [
    ("/metrics", "/metrics"), ("/metrics?a=/b", "/metrics"), ("http://h:1/metrics?x", "/metrics"), ("HTTPS://h", "/"),
    ("*", "*"), ("/#/metrics", "/"), ("//metrics", "//metrics"),
  ])
  func path(target: String, expected: String) {
    #expect(Site.path(target) == expected[...])
  }
}
