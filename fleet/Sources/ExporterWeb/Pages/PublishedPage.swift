// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// The newest rendering of all series, handed from the tracing thread to the one that answers requests.
///
/// Each page is immutable. The lock is held while a reference is copied, so a request never holds up the tracing thread.
public final class PublishedPage: Sendable {
  /// One rendering in both formats.
  public final class Page: Sendable {
    /// Prometheus' text format 0.0.4.
    public let text: [UInt8]
    /// OpenMetrics 1.0, with its `# EOF`.
    public let openMetrics: [UInt8]
    /// When it was published.
    public let publishedAt: ContinuousClock.Instant

    init(text: [UInt8], openMetrics: [UInt8], publishedAt: ContinuousClock.Instant) {
      self.text = text
      self.openMetrics = openMetrics
      self.publishedAt = publishedAt
    }
  }

  private let page = Mutex<Page?>(nil)

  public init() {}

  /// Replaces the page; requests that are being answered keep theirs.
  public func publish(text: [UInt8], openMetrics: [UInt8]) {
    let next = Page(text: text, openMetrics: openMetrics, publishedAt: .now)
    page.withLock { $0 = next }
  }

  /// The newest page, nil before the first.
  public func current() -> Page? {
    page.withLock { $0 }
  }
}
