// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TCPStateLive

@Suite struct TimeWaitOverflowsTests {
  /// Each namespace has a limit of its own, so only its counter counts.
  @Test func byNamespace() {
    var overflows = TimeWaitOverflows()
    overflows.take([1: 100, 2: 7], isComplete: true)
    #expect(overflows.refused(in: 1) == 0, "before the start")
    overflows.take([1: 100, 2: 9], isComplete: false)
    #expect(overflows.refused(in: 1) == 0)
    #expect(overflows.refused(in: 2) == 2)
    #expect(overflows.refused(in: 3) == 0, "not read")
  }

  /// One that came after the first reading began at 0.
  @Test func newNamespace() {
    var overflows = TimeWaitOverflows()
    overflows.take([1: 100], isComplete: true)
    overflows.take([1: 100, 9: 3], isComplete: false)
    #expect(overflows.refused(in: 9) == 3)
  }

  /// What was refused while a reading began is found gone by the next: it counts for two readings, and no longer.
  @Test func duringAReading() {
    var overflows = TimeWaitOverflows()
    overflows.take([1: 100], isComplete: true)
    for expected: UInt64 in [1, 1, 0] {
      overflows.take([1: 101], isComplete: false)
      #expect(overflows.refused(in: 1) == expected)
    }
  }

  /// The number of a namespace may be another's now, whose counter began at 0.
  @Test func counterThatBeganAgain() {
    var overflows = TimeWaitOverflows()
    overflows.take([1: 100], isComplete: true)
    overflows.take([1: 3], isComplete: false)
    #expect(overflows.refused(in: 1) == 0)
  }

  /// Without a reading of all namespaces it isn't known since when a counter counts.
  @Test func unknownBeginning() {
    var overflows = TimeWaitOverflows()
    overflows.take([1: 100], isComplete: false)
    overflows.take([1: 105], isComplete: false)
    #expect(overflows.refused(in: 1) == 0)
    overflows.take([1: 106], isComplete: true)
    #expect(overflows.refused(in: 1) == 0, "what was read before doesn't count")
    overflows.take([1: 108], isComplete: false)
    #expect(overflows.refused(in: 1) == 2)
  }
}
