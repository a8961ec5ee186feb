// SPDX-License-Identifier: Apache-2.0
import Testing

@Suite struct ScenarioTests {
  @Test func thereAreScenarios() {
    #expect(Scenario.all.count >= 10)
  }

  @Test(arguments: Scenario.all)
  func inOrder(_ name: String) throws {
    var runner = try ScenarioRunner(Scenario(named: name), seed: nil)
    try runner.run()
  }

  /// The same rows, whichever CPU's events come first.
  @Test(arguments: Scenario.all)
  func outOfOrder(_ name: String) throws {
    let scenario = try Scenario(named: name)
    for seed in 1...20 as ClosedRange<UInt64> {
      var runner = ScenarioRunner(scenario, seed: seed)
      try runner.run()
    }
  }
}
