import Testing

@Suite struct ScenarioTests {
  @Test func thereAreScenarios() {
    #expect(Scenario.all.count >= 10)
  }

  @Test(arguments: Scenario.all)
  func play(_ name: String) throws {
    var runner = try ScenarioRunner(Scenario(named: name))
    try runner.run()
  }
}
