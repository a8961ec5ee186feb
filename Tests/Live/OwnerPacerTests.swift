// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TCPStateLive

/// When all processes' descriptors are looked at for the owners of connections.
@Suite struct OwnerPacerTests {
  private static let millisecond: UInt64 = 1_000_000
  private static let second: UInt64 = 1_000_000_000

  private static func pacer(lookedAt time: UInt64, cost: UInt64) -> OwnerPacer {
    var pacer = OwnerPacer()
    pacer.looked(at: time, cost: cost)
    return pacer
  }

  @Test func nobodyWaits() {
    #expect(Self.pacer(lookedAt: Self.second, cost: 0).nextLook((any: false, new: false)) == nil)
    #expect(Self.pacer(lookedAt: Self.second, cost: 0).nextLook((any: false, new: true)) == nil)
  }

  @Test func theFirstIsLookedForSoon() {
    #expect(OwnerPacer().nextLook((any: true, new: true)) == 100 * Self.millisecond)
  }

  /// A hundredth of a CPU, within 100 ms and 700 ms.
  @Test(
    arguments: [
      (0, 100), (1_000, 100), (1_001, 100), (1_010, 101), (3_500, 350), (6_990, 699), (7_010, 700), (900_000, 700),
    ] as [(UInt64, UInt64)])
  func newOnesAreLookedForAtAHundredthOfACPU(_ cost: UInt64, _ wait: UInt64) throws {
    let next = try #require(Self.pacer(lookedAt: 5 * Self.second, cost: cost * 1_000).nextLook((any: true, new: true)))
    #expect((next - 5 * Self.second) / Self.millisecond == wait)
  }

  /// One that nobody held when it was looked for waits to be accepted.
  @Test(arguments: [0, 900_000_000] as [UInt64])
  func othersAreLookedForOnceASecond(_ cost: UInt64) {
    #expect(Self.pacer(lookedAt: 5 * Self.second, cost: cost).nextLook((any: true, new: false)) == 6 * Self.second)
  }
}
