// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// The bytes of one page as they are sent: each form is made at the first request for it and then shared by all.
package final class Representations {
  package let page: PublishedPage.Page
  private var plain: [Bool: ByteBuffer] = [:]
  private var compressed: [Bool: ByteBuffer] = [:]

  package init(_ page: PublishedPage.Page) {
    self.page = page
  }

  /// The body, and whether it is compressed: not if zlib can't.
  package func body(_ format: Negotiation.Format, gzip: Bool) -> (bytes: ByteBuffer, isCompressed: Bool) {
    let isText = format == .text
    let source = isText ? page.text : page.openMetrics
    if gzip {
      if let known = compressed[isText] { return (known, true) }
      if let bytes = Gzip.compressed(source) {
        let buffer = ByteBuffer(bytes: bytes)
        compressed[isText] = buffer
        return (buffer, true)
      }
    }
    if let known = plain[isText] { return (known, false) }
    let buffer = ByteBuffer(bytes: source)
    plain[isText] = buffer
    return (buffer, false)
  }
}
