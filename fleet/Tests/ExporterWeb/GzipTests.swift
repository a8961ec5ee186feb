// SPDX-License-Identifier: Apache-2.0
import Testing

import ExporterWeb

@Suite struct GzipTests {
  @Test(arguments: [0, 1, 1000, 300_000])
  func headerAndTrailer(size: Int) throws {
    let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 3) }
    let packed = try #require(Gzip.compressed(bytes))
    #expect(packed.starts(with: [0x1f, 0x8b, 8]))
    // The trailer ends with the size (RFC 1952, section 2.3.1). That the content is right is seen by curl and Prometheus.
    let count = packed.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
    #expect(count == size)
  }

  @Test func eachFormIsMadeOnce() {
    let pages = PublishedPage()
    pages.publish(text: Array(repeating: 65, count: 10_000), openMetrics: Array("# EOF\n".utf8))
    guard let page = pages.current() else { return #expect(Bool(false), "no page") }
    let forms = Representations(page)
    let (one, two) = (forms.body(.text, gzip: true), forms.body(.text, gzip: true))
    #expect(one.isCompressed && one.bytes.readableBytes < 200)
    one.bytes.withUnsafeReadableBytes { first in
      two.bytes.withUnsafeReadableBytes { #expect(first.baseAddress == $0.baseAddress) }
    }
    #expect(forms.body(.openMetrics(version: "1.0.0"), gzip: false).bytes.readableBytes == 6)
  }
}
