// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import tcpstate_trace

@Suite struct Base64TextTests {
  @Test func isTheSameAsFoundations() {
    for count in 0..<100 {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 37 + count) }
      #expect(Base64Text.encode(bytes) == Data(bytes).base64EncodedString())
    }
  }
}
