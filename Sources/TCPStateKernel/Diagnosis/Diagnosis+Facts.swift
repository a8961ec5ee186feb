// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

extension Diagnosis {
  /// Looks around, and with the rights for it loads and attaches the programs, reads the tables of sockets, and detaches
  /// again at once.
  public static func ofThisSystem() -> Diagnosis {
    let facts = SystemFacts.gather()
    return Diagnosis(facts, Trial.run(facts.seccomp))
  }

  init(_ facts: SystemFacts, _ trial: Trial) {
    let canTrace = if case .loaded = trial { true } else { false }
    let checks =
      Self.kernel(facts, trial) + Self.rights(facts) + Self.surroundings(facts) + Self.host(facts)
      + Self.tracing(facts, trial)
    self.init(checks, canTrace: canTrace)
  }

  // MARK: - The trial

  private static func tracing(_ facts: SystemFacts, _ trial: Trial) -> [Check] {
    switch trial {
    case .notTried:
      let missing = [Capability.bpf, .perfmon].filter { !isGranted($0, facts) }.map(\.name)
      return [
        Check(
          .tracing, "programs", .no, "not loaded: \(missing.joined(separator: " and ")) missing",
          remedy: Remedy.grant(missing, isRoot: facts.isRoot))
      ]
    case .failed(let error):
      return [Check(.tracing, "programs", .no, "can't \(error.operation)", error.cause, remedy: error.hint)]
    case .loaded(let result):
      return [
        programs(facts, result), tables(facts, result), holders(result), accepts(facts, result), inKernel(result),
      ]
    }
  }

  private static func programs(_ facts: SystemFacts, _ result: Trial.Result) -> Check {
    let how =
      result.attachment == .btf
      ? "loaded, attached and detached again" : "loaded, attached to the classic tracepoint and detached again"
    let losses = [result.shortfall].compactMap { $0 } + result.failedAttachments.map(\.description)
    guard !losses.isEmpty else { return Check(.tracing, "programs", .ok, how, "every transition is seen") }
    return Check(
      .tracing, "programs", .less, how, losses.joined(separator: "; "),
      remedy: facts.lockdown == .confidentiality ? lockdownRemedy : newest(facts))
  }

  private static func tables(_ facts: SystemFacts, _ result: Trial.Result) -> Check {
    switch result.tables {
    case .noIterator:
      return Check(
        .tracing, "tables", .less, "can't be read",
        "this kernel provides no socket iterator: no sockets older than the tracer, and stuck doesn't work",
        remedy: Remedy.newerKernel(KernelVersion(5, 9)))
    case .failed(let error):
      return Check(.tracing, "tables", .less, "can't \(error.operation)", error.cause, remedy: error.hint)
    case .read(let namespaces, let unreached):
      let found = "read in \(namespaces) network namespace\(namespaces == 1 ? "" : "s")"
      guard unreached > 0 else {
        return Check(.tracing, "tables", .ok, found, "sockets opened before the start are seen")
      }
      let rights = [Capability.sysAdmin, .sysPtrace].filter { !facts.canRaise($0) }.map(\.name)
      return Check(
        .tracing, "tables", .less, "\(found), not in \(unreached) more of which there are sockets",
        "their TIME-WAIT, half-open, orphaned and unaccepted sockets aren't seen",
        remedy: rights.isEmpty ? Remedy.hostNamespaces : Remedy.grant(rights, isRoot: facts.isRoot))
    }
  }

  private static func holders(_ result: Trial.Result) -> Check {
    result.canReadHolders
      ? Check(.tracing, "owners", .ok, "read from descriptors", "also of sockets opened before the start")
      : Check(
        .tracing, "owners", .less, "descriptors are looked up in /proc", "slower, and by CAP_SYS_PTRACE",
        remedy: Remedy.newerKernel(KernelVersion(5, 12)))
  }

  private static func accepts(_ facts: SystemFacts, _ result: Trial.Result) -> Check {
    result.seesAccepts
      ? Check(.tracing, "accept", .ok, "seen at once", "which process accepts a connection")
      : Check(
        .tracing, "accept", .note, "seen up to a second later",
        "the kernel takes no program at the end of functions, so descriptors are looked at instead",
        remedy: "a kernel with CONFIG_FUNCTION_TRACER and without lockdown takes one")
  }

  private static func inKernel(_ result: Trial.Result) -> Check {
    guard let error = result.inKernelFailure
    else { return Check(.tracing, "in_kernel", title: "summary --in-kernel", .ok, "works") }
    return Check(
      .tracing, "in_kernel", title: "summary --in-kernel", .less, "can't \(error.operation)", error.cause,
      remedy: error.hint)
  }

  // MARK: - What several need

  static let lockdownRemedy = "boot without lockdown=confidentiality; lockdown=integrity is no obstacle"

  static func newest(_ facts: SystemFacts) -> String {
    let missing = KernelFeature.missing(facts).map(\.since).max()
    return missing.map { "Linux \($0) or newer has it; docs/COMPATIBILITY.md lists what each kernel provides" } ?? ""
  }

  /// Whether tracing has it; CAP_SYS_ADMIN includes CAP_BPF and CAP_PERFMON (capabilities(7)).
  static func isGranted(_ capability: Capability, _ facts: SystemFacts) -> Bool {
    let isIncluded = [.bpf, .perfmon].contains(capability) && facts.holds(.sysAdmin) == true
    return isIncluded || facts.holds(capability) == true
  }
}

extension SystemFacts {
  /// Those for namespaces are raised when they are needed.
  func canRaise(_ capability: Capability) -> Bool { permitted?.contains(capability) == true }
}
