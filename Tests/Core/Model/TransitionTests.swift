// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import Testing

/// What follows from a row's fields alone.
@Suite struct TransitionTests {
  /// Until a connection is established it is its listener's, whoever accepts it later.
  @Test func presumedOwners() {
    for kind in OwnerKind.allCases {
      for state in TCPState.all {
        var row = Transition()
        (row.ownerKind, row.old) = (kind, state)
        let isPresumed = kind == .inherited && state != .listen && state != .synReceived
        #expect(row.isOwnerPresumed == isPresumed, "\(kind) \(state)")
      }
    }
    #expect(!Transition().isOwnerPresumed)
  }

  @Test(arguments: [(0, 5, 0), (1, 2, 0), (1, 3, 1), (7, 10, 2), (5, 5, 0), (9, 3, 0)] as [(UInt64, UInt64, UInt64)])
  func gapsInASequence(_ first: UInt64, _ second: UInt64, _ missing: UInt64) {
    #expect(first.gap(to: second) == missing)
  }

  @Test func sumsAndProductsStopAtTheMaximum() {
    #expect((UInt64.max - 3).saturatingAdding(3) == .max && (UInt64.max - 3).saturatingAdding(2) == .max - 1)
    #expect(UInt64.max.saturatingAdding(1) == .max)
    #expect((UInt64(1) << 32).saturatingMultiplied(by: 1 << 31) == 1 << 63)
    #expect((UInt64(1) << 32).saturatingMultiplied(by: 1 << 32) == .max)
    var sum = UInt64(1)
    sum.add(saturating: 2)
    #expect(sum == 3)
    sum.add(saturating: .max)
    #expect(sum == .max)
  }
}
