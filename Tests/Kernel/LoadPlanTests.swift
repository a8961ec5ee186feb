// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TCPStateKernel

/// Which programs are tried in which order, and what is missing without them.
@Suite struct LoadPlanTests {
  private func candidates(_ change: (inout KernelConfiguration) -> Void) -> [LoadPlan] {
    var configuration = KernelConfiguration()
    change(&configuration)
    return LoadPlan.candidates(configuration)
  }

  @Test func richestFirst() {
    #expect(candidates { _ in } == [.all, .plain, .classic])
    #expect(candidates { $0.attachment = .btf } == [.all, .plain])
    #expect(candidates { $0.attachment = .classic } == [.classic])
    let best = LoadPlan.candidates(KernelConfiguration(), seesFunctions: true)
    #expect(best == [.functions, .all, .plain, .classic])
  }

  /// The way of attaching doesn't matter if nothing is attached.
  @Test func tablesOnly() {
    #expect(candidates { $0.tablesOnly = true } == [.tables, .plainTables])
    #expect(candidates { ($0.tablesOnly, $0.attachment) = (true, .classic) } == [.tables, .plainTables])
  }

  /// There is no plainer way to count in the kernel.
  @Test func aggregates() {
    #expect(candidates { $0.aggregates = true } == [.aggregate])
    #expect(candidates { ($0.aggregates, $0.tablesOnly) = (true, true) } == [.aggregate])
  }

  private static let plans: [LoadPlan] = [.functions, .all, .plain, .classic, .tables, .plainTables, .aggregate]

  @Test(arguments: plans)
  func mainIsOne(_ plan: LoadPlan) {
    #expect(plan.programs.contains(plan.main))
    #expect(plan.main.rawValue.nonzeroBitCount == 1)
    #expect(plan.programs.contains(.snapshotSockets), "every plan reads the tables")
  }

  /// A plan without cookies and storage has no program that needs them (before Linux 5.12).
  @Test(arguments: [LoadPlan.plain, .classic, .plainTables])
  func plainPlansDoWithout(_ plan: LoadPlan) {
    #expect(plan.isPlain)
    #expect(plan.programs.isDisjoint(with: [.reader, .synAck, .snapshotFiles, .aggregate]))
  }

  @Test func eachTransitionIsRecordedOnce() {
    for plan in Self.plans {
      let recording = plan.programs.intersection([.transition, .transitionClassic, .aggregate])
      #expect(recording.rawValue.nonzeroBitCount == (plan.main == recording ? 1 : 0))
    }
  }

  @Test func nothingIsMissing() {
    #expect(LoadPlan.all.shortfall == nil)
    #expect(LoadPlan.functions.shortfall == nil)
    #expect(LoadPlan.tables.shortfall == nil)
    #expect(LoadPlan.aggregate.shortfall == nil)
  }

  /// Each program that a kernel rejects has words of its own.
  @Test func shortfallOfEachProgram() {
    var seen: Set<String> = []
    for missing in BPFPrograms.all
    where LoadPlan.all.programs.contains(missing.program) && missing.program != .transition {
      var plan = LoadPlan.all
      plan.programs.remove(missing.program)
      #expect(plan.shortfall == missing.loss && !missing.loss.isEmpty, "\(missing.name)")
      seen.insert(missing.loss)
    }
    #expect(seen.count == 6)
  }

  @Test func shortfallOfSeveral() {
    var plan = LoadPlan.all
    plan.programs.subtract([.reader, .synAck])
    #expect(plan.shortfall == "owners not updated when another process reads, no half-open requests")
  }

  @Test func shortfallOfPlainPlans() {
    let plain =
      "no socket cookies (connection ids are made up), owners known only from opens, closes and /proc, "
      + "no half-open requests"
    #expect(LoadPlan.plain.shortfall == plain)
    #expect(LoadPlan.classic.shortfall == plain)
    var plan = LoadPlan.plain
    plan.programs.remove(.snapshotSockets)
    #expect(plan.shortfall == plain + ", no sockets older than the tracer and no end of TIME-WAIT")
  }
}
