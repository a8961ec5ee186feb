// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// What the kernel was built with, and how it was started.
extension Diagnosis {
  static func kernel(_ facts: SystemFacts, _ trial: Trial) -> [Check] {
    [
      version(facts), typeInformation(facts), tracepoints(facts), iterators(facts), programTypes(facts),
      tracefs(facts, trial), lockdown(facts),
    ]
  }

  private static func version(_ facts: SystemFacts) -> Check {
    let found = "Linux \(facts.release) on \(facts.machine)"
    guard let version = facts.version
    else { return Check(.kernel, "kernel", .unknown, found, "its version can't be read") }
    guard version >= KernelVersion(5, 8) else {
      return Check(
        .kernel, "kernel", .no, found, "it has no ring buffer", remedy: Remedy.newerKernel(KernelVersion(5, 8)))
    }
    let missing = KernelFeature.missing(facts)
    guard !missing.isEmpty else { return Check(.kernel, "kernel", .ok, found, "it lacks nothing that is known") }
    let losses = missing.map { "\($0.loss) (\($0.since))" }.joined(separator: "; ")
    return Check(.kernel, "kernel", .less, found, losses, remedy: newest(facts))
  }

  private static func typeInformation(_ facts: SystemFacts) -> Check {
    func check(_ status: Check.Status, _ found: String, _ meaning: String = "", _ remedy: String = "") -> Check {
      Check(.kernel, "btf", title: "BTF", status, found, meaning, remedy: remedy)
    }
    let path = KernelSource.typeInformation
    switch facts.types {
    case .read(_, let bytes):
      let tenths = (bytes * 10 + 500_000) / 1_000_000
      return check(.ok, "\(path), \(tenths / 10).\(tenths % 10) MB", "programs are fitted to this kernel with it")
    case .unusable: return check(.no, "\(path) can't be parsed", "no program can be fitted to this kernel")
    case .unreadable(let obstacle):
      return check(.no, obstacle.cause, "no program can be fitted to this kernel", obstacle.remedy)
    }
  }

  /// A check of names in the type information.
  ///
  /// - Parameter losses: what isn't seen without one of them; without one that isn't here, tracing isn't possible.
  private static func names(
    _ name: String, title: String? = nil, _ names: [KernelName], _ facts: SystemFacts, ok: String,
    losses: [KernelName: String], remedy: String
  ) -> Check {
    guard case .read(let found, _) = facts.types
    else { return Check(.kernel, name, title: title, .unknown, "can't be known without BTF") }
    let missing = names.filter { !found.contains($0) }
    guard !missing.isEmpty
    else { return Check(.kernel, name, title: title, .ok, names.map(\.text).joined(separator: ", "), ok) }
    let isFatal = missing.contains { losses[$0] == nil }
    return Check(
      .kernel, name, title: title, isFatal ? .no : .less, "no \(missing.map(\.text).joined(separator: ", "))",
      isFatal ? "tracing needs it" : missing.compactMap { losses[$0] }.joined(separator: "; "), remedy: remedy)
  }

  private static func tracepoints(_ facts: SystemFacts) -> Check {
    var losses: [KernelName: String] = [:]
    for program in BPFPrograms.all where !program.loss.isEmpty {
      guard let name = program.tracepoint?.split(separator: ":").last, name != "inet_sock_set_state" else { continue }
      losses[.tracepoint(String(name))] = program.loss
    }
    return names(
      "tracepoints", KernelName.tracepoints, facts, ok: "programs attach to these", losses: losses,
      remedy: Remedy.newerKernel(KernelVersion(5, 8)))
  }

  private static func iterators(_ facts: SystemFacts) -> Check {
    var losses: [KernelName: String] = [:]
    for program in BPFPrograms.all where program.tracepoint == nil {
      losses[.iterator(program.program == .snapshotFiles ? "task_file" : "tcp")] = program.loss
    }
    return names(
      "iterators", KernelName.iterators, facts, ok: "the tables of sockets and descriptors are read with these",
      losses: losses, remedy: Remedy.newerKernel(KernelVersion(5, 9)))
  }

  private static func programTypes(_ facts: SystemFacts) -> Check {
    names(
      "bpf", title: "BPF", KernelName.programTypes, facts, ok: "kinds of programs and maps that are needed",
      losses: [.value("BPF_MAP_TYPE_SK_STORAGE", of: "bpf_map_type"): "owners known only from opens, closes and /proc"],
      remedy: "\(Remedy.newerKernel(KernelVersion(5, 8))), built with CONFIG_BPF_SYSCALL=y and CONFIG_BPF_EVENTS=y")
  }

  private static func tracefs(_ facts: SystemFacts, _ trial: Trial) -> Check {
    // The kernels that need it are the ones that have attached to it.
    let isUsed = if case .loaded(let result) = trial { result.attachment == .classic } else { false }
    let purpose = "only --attach classic, and kernels that need it, read it"
    switch facts.tracefs {
    case .readable:
      return Check(.kernel, "tracefs", .ok, "/sys/kernel/tracing can be read", isUsed ? "it is needed here" : purpose)
    case .missing:
      return Check(.kernel, "tracefs", .note, "not mounted at /sys/kernel/tracing", purpose, remedy: Remedy.tracefs)
    case .denied:
      return Check(
        .kernel, "tracefs", .note, "/sys/kernel/tracing may not be read", purpose,
        remedy: Remedy.grant([Capability.dacReadSearch.name], isRoot: facts.isRoot))
    }
  }

  private static func lockdown(_ facts: SystemFacts) -> Check {
    switch facts.lockdown {
    case .none?: Check(.kernel, "lockdown", .ok, "none")
    case .integrity: Check(.kernel, "lockdown", .ok, "integrity", "it forbids nothing that tracing needs")
    case .confidentiality:
      Check(
        .kernel, "lockdown", .less, "confidentiality",
        "it forbids programs to copy from the kernel's memory, and reading tracefs", remedy: lockdownRemedy)
    case nil:
      Check(
        .kernel, "lockdown", .unknown, "/sys/kernel/security/lockdown can't be read",
        "securityfs isn't mounted, or the kernel has no lockdown",
        remedy: "to see it: mount -t securityfs securityfs /sys/kernel/security")
    }
  }
}
