// SPDX-License-Identifier: Apache-2.0
import ExporterWeb
import Testing

@Test func theNewestPageIsTheCurrentOne() {
  let pages = PublishedPage()
  #expect(pages.current() == nil)
  pages.publish(text: [1], openMetrics: [2])
  pages.publish(text: [3], openMetrics: [4])
  #expect(pages.current()?.text == [3])
  #expect(pages.current()?.openMetrics == [4])
}
