// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TCPStateLive

@Suite struct CensusTests {
  private final class Counts {
    var census = Census()
    func drifts(_ difference: Int) -> Bool { census.hasDrifted(difference: difference) }
  }

  /// A filter or sockets that aren't tracked make a difference, but no drift.
  @Test(arguments: [0, 41, -3])
  func staysAsItIs(_ usual: Int) {
    let census = Counts()
    for _ in 0..<1_000 { #expect(!census.drifts(usual)) }
  }

  /// A transition that was missed stays missed.
  @Test(arguments: [1, -1, 20])
  func noticesWhatWasMissed(_ missed: Int) {
    let census = Counts()
    for _ in 0..<50 { #expect(!census.drifts(7)) }
    var counts = 0
    while !census.drifts(7 + missed) {
      counts += 1
      if counts > 20 { return #expect(Bool(false), "never noticed") }
    }
    #expect(counts == 7)
    #expect(census.drifts(7 + missed), "until the tables are read")
    census.census.restart()
    for _ in 0..<50 { #expect(!census.drifts(7 + missed)) }
  }

  /// Under churn the counts are never taken at the same instant.
  @Test func ignoresChurn() {
    let census = Counts()
    for round in 0..<1_000 { #expect(!census.drifts([0, 3, -2, 1, 0, -4, 2][round % 7])) }
  }

  /// What is usual is the middle of the first five, so that two of them may be far off.
  @Test func usualIsTheMiddle() {
    let census = Counts()
    for difference in [900, 4, 5, -900, 6] { #expect(!census.drifts(difference)) }
    for _ in 0..<50 { #expect(!census.drifts(5)) }
    let drifts = (0..<8).map { _ in census.drifts(6) }
    #expect(drifts == Array(repeating: false, count: 7) + [true])
  }

  /// Only differences in a row count.
  @Test func isInARow() {
    let census = Counts()
    for _ in 0..<5 { #expect(!census.drifts(0)) }
    for _ in 0..<9 {
      for _ in 0..<7 { #expect(!census.drifts(4)) }
      #expect(!census.drifts(0))
    }
  }

  @Test func aShortBurstIsNoDrift() {
    let census = Counts()
    for _ in 0..<10 { _ = census.drifts(0) }
    for _ in 0..<7 { #expect(!census.drifts(500)) }
    #expect(!census.drifts(0))
    for _ in 0..<7 { #expect(!census.drifts(-500)) }
  }
}
