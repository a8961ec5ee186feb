// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// What this process may do.
extension Diagnosis {
  static func rights(_ facts: SystemFacts) -> [Check] {
    var capabilities: [Capability] = [.bpf, .perfmon, .sysAdmin, .sysPtrace]
    // Where descriptors are looked up in /proc.
    if let version = facts.version, version < KernelVersion(5, 12) { capabilities.append(.dacReadSearch) }
    return capabilities.map { capability($0, facts) } + [seccomp(facts)]
  }

  private static func capability(_ capability: Capability, _ facts: SystemFacts) -> Check {
    func check(_ status: Check.Status, _ found: String, _ meaning: String, _ remedy: String = "") -> Check {
      Check(
        .rights, capability.name.lowercased(), title: capability.name, status, found, meaning, remedy: remedy)
    }
    let isNeeded = capability == .bpf || capability == .perfmon
    guard facts.effective != nil else { return check(.unknown, "can't be read", capability.use) }
    let isHeld = isNeeded ? isGranted(capability, facts) : facts.holds(capability) == true || facts.canRaise(capability)
    guard isHeld else {
      let remedy =
        facts.canRaise(capability)
        ? "it is permitted: whatever started the program has to put it into effect"
        : Remedy.grant([capability.name], isRoot: facts.isRoot)
      return check(isNeeded ? .no : .less, "missing", capability.loss, remedy)
    }
    // The kernel asks for them in the initial namespace only.
    if case .other = facts.surroundings.place(.user) {
      return check(
        isNeeded ? .no : .less, "held in this user namespace only", "the kernel asks for it in the host's",
        Remedy.hostRoot)
    }
    let isIncluded = facts.holds(capability) != true && isNeeded
    return check(.ok, isIncluded ? "included in CAP_SYS_ADMIN" : "held", capability.use)
  }

  private static func seccomp(_ facts: SystemFacts) -> Check {
    let seccomp = facts.seccomp
    func check(_ status: Check.Status, _ found: String, _ meaning: String, _ remedy: String = "") -> Check {
      Check(.rights, "seccomp", status, found, meaning, remedy: remedy)
    }
    if seccomp.isFiltering == false { return check(.ok, "no filter", "") }
    let filter =
      seccomp.isFiltering == true ? "a filter is in force (Seccomp: 2)" : "it isn't known whether there is a filter"
    guard seccomp.refused.isEmpty else {
      let calls = Seccomp.Call.allCases.filter { seccomp.refused.contains($0) }
      let names = calls.map { "\($0)(2)" }.joined(separator: ", ")
      let losses = calls.map(\.loss).joined(separator: "; ")
      return check(
        seccomp.refused.contains(.bpf) ? .no : .less, "a filter refuses \(names)",
        "that is no missing capability, although the error is the same; \(losses)", Remedy.seccomp)
    }
    guard seccomp.unknown.isEmpty else {
      let names = Seccomp.Call.allCases.filter { seccomp.unknown.contains($0) }.map { "\($0)(2)" }
      return check(
        .unknown, filter,
        "whether it or a missing right refuses \(names.joined(separator: ", ")) can't be known without CAP_BPF")
    }
    return check(.ok, filter, "it lets the calls through that tracing needs; a filter is no missing capability")
  }
}

extension Capability {
  /// What it is needed for.
  fileprivate var use: String {
    switch self {
    case .bpf: "loads programs and reads their maps"
    case .perfmon: "lets programs read the kernel's structures"
    case .sysAdmin:
      "enters other network namespaces, to read their TIME-WAIT, half-open, orphaned and unaccepted sockets"
    case .sysPtrace: "finds network namespaces by the processes that are in them"
    case .dacReadSearch: "reads descriptors of other users' processes"
    }
  }
}

extension Seccomp.Call {
  /// What isn't possible without it.
  fileprivate var loss: String {
    switch self {
    case .bpf: "no program can be loaded"
    case .perf_event_open: "--attach classic doesn't work"
    case .setns: "only this process's network namespace can be read"
    }
  }
}
