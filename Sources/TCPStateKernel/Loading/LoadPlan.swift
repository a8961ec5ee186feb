/// A set of programs that belong together, and how they are to work.
struct LoadPlan {
  var programs: BPFObject.Programs
  /// Whether they do without cookies and storage beside a socket, as before 5.12 they must.
  var isPlain: Bool
  /// Without this one the others are of no use.
  let main: BPFObject.Programs

  static let all = LoadPlan(
    programs: [
      .transition, .transitionNested, .snapshotFiles, .snapshotSockets, .reader, .synAck, .resetSent,
    ], isPlain: false, main: .transition)
  static let plain = LoadPlan(
    programs: [.transition, .transitionNested, .snapshotSockets, .resetSent], isPlain: true, main: .transition)
  static let classic = LoadPlan(
    programs: [.transitionClassic, .snapshotSockets, .resetSent], isPlain: true, main: .transitionClassic)
  static let tables = LoadPlan(
    programs: [.snapshotFiles, .snapshotSockets], isPlain: false, main: .snapshotFiles)
  static let plainTables = LoadPlan(programs: .snapshotSockets, isPlain: true, main: .snapshotSockets)

  static let aggregate = LoadPlan(
    programs: [.aggregate, .snapshotSockets], isPlain: false, main: .aggregate)

  /// The plans that may serve, the richest first.
  static func candidates(_ configuration: KernelSource.Configuration) -> [LoadPlan] {
    guard !configuration.aggregates else { return [.aggregate] }
    guard !configuration.tablesOnly else { return [.tables, .plainTables] }
    return switch configuration.attachment {
    case .btf: [.all, .plain]
    case .classic: [.classic]
    case nil: [.all, .plain, .classic]
    }
  }

  /// What is missed of `all`, for people; `nil` when nothing is.
  var shortfall: String? {
    guard !isPlain else {
      return
        "no socket cookies (connection ids are made up), owners only by who opens and closes and by /proc, "
        + "no half-open requests"
        + (programs.contains(.snapshotSockets) ? "" : ", no sockets from before and no end of TIME-WAIT")
    }
    var missed: [String] = []
    let words: [(BPFObject.Programs, String)] = [
      (.snapshotSockets, "no sockets from before and no end of TIME-WAIT"),
      (.snapshotFiles, "no owners of sockets from before"),
      (.reader, "owners not corrected by who reads"),
      (.synAck, "no half-open requests"),
      (.resetSent, "resets sent not told from those received"),
      (.transitionNested, "transitions that interrupt the tracer's program lost, and counted"),
    ]
    for (program, text) in words where main == .transition && !programs.contains(program) { missed.append(text) }
    return missed.isEmpty ? nil : missed.joined(separator: ", ")
  }
}
