// SPDX-License-Identifier: Apache-2.0

/// A set of programs that work together, and how.
struct LoadPlan: Equatable {
  var programs: BPFPrograms
  /// Whether they do without cookies and socket storage, as they have to before Linux 5.12.
  var isPlain: Bool
  /// The one without which the others are useless.
  let main: BPFPrograms

  static let all = LoadPlan(
    programs: [
      .transition, .transitionNested, .snapshotFiles, .snapshotSockets, .reader, .synAck, .resetSent,
    ], isPlain: false, main: .transition)
  /// On kernels that let programs run at the end of functions.
  static let functions = LoadPlan(programs: all.programs.union(.accepted), isPlain: false, main: .transition)
  static let plain = LoadPlan(
    programs: [.transition, .transitionNested, .snapshotSockets, .resetSent], isPlain: true, main: .transition)
  static let classic = LoadPlan(
    programs: [.transitionClassic, .snapshotSockets, .resetSent], isPlain: true, main: .transitionClassic)
  static let tables = LoadPlan(
    programs: [.snapshotFiles, .snapshotSockets], isPlain: false, main: .snapshotFiles)
  static let plainTables = LoadPlan(programs: .snapshotSockets, isPlain: true, main: .snapshotSockets)

  static let aggregate = LoadPlan(
    programs: [.aggregate, .snapshotSockets], isPlain: false, main: .aggregate)

  /// The plans to try, the richest first.
  ///
  /// - Parameter seesFunctions: whether the kernel takes programs that run at the end of functions. They can't just be
  ///   tried: many kernels refuse them, and then every other program would be loaded twice.
  static func candidates(_ configuration: KernelConfiguration, seesFunctions: Bool = false) -> [LoadPlan] {
    let best = seesFunctions ? [functions, all] : [all]
    guard !configuration.aggregates else { return [.aggregate] }
    guard !configuration.tablesOnly else { return [.tables, .plainTables] }
    return switch configuration.attachment {
    case .btf: best + [.plain]
    case .classic: [.classic]
    case nil: best + [.plain, .classic]
    }
  }

  /// What is missing compared with `all`, for people; `nil` if nothing is.
  var shortfall: String? {
    guard !isPlain else {
      let without =
        "no socket cookies (connection ids are made up), owners known only from opens, closes and /proc, "
        + "no half-open requests"
      let missing = BPFPrograms.snapshotSockets.subtracting(programs).descriptions
      return ([without] + missing.map(\.loss)).joined(separator: ", ")
    }
    guard main == .transition else { return nil }
    let missing = Self.all.programs.subtracting(programs).descriptions
    return missing.isEmpty ? nil : missing.map(\.loss).joined(separator: ", ")
  }
}
