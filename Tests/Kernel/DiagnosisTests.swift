// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import TCPStateCore
import TestSupport
import Testing

@testable import TCPStateKernel

/// Facts that lack nothing, as a start.
extension SystemFacts {
  static func complete(_ others: [Surroundings.Kind: UInt32?] = [:], hasProc: Bool = true) -> SystemFacts {
    let surroundings = Surroundings(hasProc: hasProc, offsets: nil) { kind in
      if let other = others[kind] { return other }
      return kind.initialInode
    }
    var facts = SystemFacts(surroundings: surroundings)
    (facts.release, facts.machine) = ("6.18.1-amd64", "x86_64")
    facts.types = .read(Set(KernelName.all), bytes: 5_515_236)
    facts.lockdown = SystemFacts.Lockdown.none
    facts.tracefs = .readable
    facts.isRoot = true
    facts.effective = [.bpf, .perfmon, .sysAdmin, .sysPtrace, .dacReadSearch]
    facts.permitted = facts.effective
    facts.seccomp = Seccomp(isFiltering: false)
    facts.cgroups = .unified
    facts.hasJournal = true
    facts.settings = ["tcp_tw_reuse": "2", "ip_local_port_range": "32768 60999", "ip_local_reserved_ports": ""]
    return facts
  }

  func lacking(_ names: KernelName...) -> SystemFacts {
    var facts = self
    facts.types = .read(Set(KernelName.all).subtracting(names), bytes: 1)
    return facts
  }
}

/// What is concluded from facts: made up, so that every kernel and container is one.
@Suite struct DiagnosisTests {
  private static let loaded = Trial.loaded(Trial.Result())

  private static func check(_ name: String, _ facts: SystemFacts, _ trial: Trial = loaded) throws -> Check {
    try #require(Diagnosis(facts, trial).checks.first { $0.name == name })
  }

  /// Changes one fact of a complete set.
  private static func facts(_ change: (inout SystemFacts) -> Void) -> SystemFacts {
    var facts = SystemFacts.complete()
    change(&facts)
    return facts
  }

  @Test func everythingIsThere() {
    let diagnosis = Diagnosis(.complete(), Self.loaded)
    #expect(diagnosis.canTrace)
    #expect(diagnosis.checks.allSatisfy { $0.status == .ok || $0.group == .host }, "\(diagnosis.checks)")
    #expect(diagnosis.checks.allSatisfy { $0.remedy.isEmpty })
    let names = diagnosis.checks.map(\.name)
    #expect(Set(names).count == names.count)
  }

  /// One cause at a time: its check, the status, and words that its text has.
  @Test(
    arguments: [
      ("btf", .no, ["CONFIG_DEBUG_INFO_BTF"], facts { $0.types = .unreadable(.missing) }),
      ("btf", .no, ["mount -t sysfs"], facts { $0.types = .unreadable(.noSysfs) }),
      ("btf", .no, ["can't be read"], facts { $0.types = .unreadable(.denied) }),
      ("tracepoints", .unknown, ["BTF"], facts { $0.types = .unreadable(.missing) }),
      ("iterators", .unknown, ["BTF"], facts { $0.types = .unusable }),
      ("tracepoints", .no, ["inet_sock_set_state"], SystemFacts.complete().lacking(.tracepoint("inet_sock_set_state"))),
      (
        "tracepoints", .less, ["tcp_send_reset", "resets not distinguished"],
        SystemFacts.complete().lacking(.tracepoint("tcp_send_reset"))
      ),
      (
        "iterators", .less, ["no tcp", "older than the tracer", "5.9"], SystemFacts.complete().lacking(.iterator("tcp"))
      ),
      (
        "bpf", .no, ["BPF_MAP_TYPE_RINGBUF", "5.8"],
        SystemFacts.complete().lacking(.value("BPF_MAP_TYPE_RINGBUF", of: "bpf_map_type"))
      ),
      ("kernel", .no, ["ring buffer", "5.8"], facts { $0.release = "5.4.0-42-generic" }),
      ("kernel", .unknown, ["version"], facts { $0.release = "plan9" }),
      ("kernel", .less, ["SYN-RECEIVED"], facts { ($0.release, $0.types) = ("6.1.0", .unreadable(.missing)) }),
      ("tracefs", .note, ["classic", "mount -t tracefs"], facts { $0.tracefs = .missing }),
      ("tracefs", .note, ["may not be read"], facts { $0.tracefs = .denied }),
      ("lockdown", .ok, ["integrity"], facts { $0.lockdown = .integrity }),
      ("lockdown", .less, ["lockdown=confidentiality"], facts { $0.lockdown = .confidentiality }),
      ("lockdown", .unknown, ["securityfs"], facts { $0.lockdown = nil }),
      ("cgroup", .ok, ["1 and 2"], facts { $0.cgroups = .hybrid }),
      ("cgroup", .less, ["mount -t cgroup2"], facts { $0.cgroups = .legacy }),
      ("cgroup", .less, ["mount -t cgroup2"], facts { $0.cgroups = .notMounted }),
      ("cgroup", .unknown, [], facts { $0.cgroups = nil }),
      ("journald", .note, ["tcpstates --journal"], facts { $0.hasJournal = false }),
      ("tcp_tw_reuse", .note, ["60 s"], facts { $0.settings["tcp_tw_reuse"] = "0" }),
      ("tcp_tw_reuse", .note, ["after a second"], facts { $0.settings["tcp_tw_reuse"] = "1" }),
      ("tcp_tw_reuse", .unknown, ["can't be read"], facts { $0.settings = [:] }),
      ("local_ports", .unknown, ["can't be read"], facts { $0.settings = [:] }),
    ] as [(String, Check.Status, [String], SystemFacts)])
  func cause(_ name: String, _ status: Check.Status, _ words: [String], _ facts: SystemFacts) throws {
    let check = try Self.check(name, facts)
    #expect(check.status == status, "\(check)")
    let text = "\(check.found) \(check.meaning) \(check.remedy)"
    for word in words { #expect(text.contains(word), "\(word): \(text)") }
    let isRemedied = status != .less && status != .no || !check.remedy.isEmpty
    #expect(isRemedied, "\(check)")
  }

  /// The names of the table in docs/COMPATIBILITY.md, in its order.
  @Test func versionsAreThoseDocumented() throws {
    let text = try String(contentsOf: TestFile.url("docs/COMPATIBILITY.md"), encoding: .utf8)
    let documented = text.matches(of: /- \*\*Before (\d+)\.(\d+)\*\*/).compactMap { match in
      Int(match.1).flatMap { major in Int(match.2).map { KernelVersion(major, $0) } }
    }
    #expect(documented.sorted() == KernelFeature.all.map(\.since))
  }

  /// A distribution's kernel that has taken a feature over has it, and one that hasn't lacks it, whatever its number.
  @Test func evidenceComesBeforeTheVersion() {
    let backported = Self.facts { $0.release = "5.14.0-427.el9" }
    #expect(KernelFeature.missing(backported).map(\.since) == [KernelVersion(6, 15)])
    let stamp = KernelName.field("tw_entry_stamp", of: "inet_timewait_sock")
    #expect(KernelFeature.missing(SystemFacts.complete().lacking(stamp)).map(\.since) == [KernelVersion(6, 14)])
    #expect(KernelFeature.missing(.complete()).isEmpty)
  }

  @Test(arguments: [
    ("28232 (32768-60999)", "32768 60999", ""),
    ("28130 (32768-60999, 102 reserved)", "32768 60999", "8080,40000-40100,60999-61005"),
    ("1 (5-5)", "5 5", ""), ("0 (5-5, 1 reserved)", "5 5", "1-9"), ("can't be read", "9 5", ""),
    ("can't be read", "x", ""),
  ])
  func ports(_ found: String, _ range: String, _ reserved: String) throws {
    let facts = Self.facts {
      $0.settings["ip_local_port_range"] = range
      $0.settings["ip_local_reserved_ports"] = reserved
    }
    #expect(try Self.check("local_ports", facts).found == found)
  }
}

/// Rights, and what looks like missing ones.
@Suite struct DiagnosedRightsTests {
  private static func checks(_ facts: SystemFacts, _ trial: Trial = .notTried) -> [String: Check] {
    Dictionary(uniqueKeysWithValues: Diagnosis(facts, trial).checks.map { ($0.name, $0) })
  }

  private static func facts(_ capabilities: CapabilitySet, isRoot: Bool = false) -> SystemFacts {
    var facts = SystemFacts.complete()
    (facts.effective, facts.permitted, facts.isRoot) = (capabilities, capabilities, isRoot)
    return facts
  }

  @Test(
    arguments: [
      ([], ["cap_bpf", "cap_perfmon"], ["cap_sys_admin", "cap_sys_ptrace"]),
      ([.bpf], ["cap_perfmon"], ["cap_sys_admin", "cap_sys_ptrace"]),
      ([.bpf, .perfmon], [], ["cap_sys_admin", "cap_sys_ptrace"]),
      ([.sysAdmin], [], ["cap_sys_ptrace"]), ([.sysAdmin, .sysPtrace], [], []),
    ] as [(CapabilitySet, [String], [String])])
  func capabilities(_ held: CapabilitySet, _ no: [String], _ less: [String]) {
    for isRoot in [false, true] {
      let checks = Self.checks(Self.facts(held, isRoot: isRoot))
      let rights = checks.values.filter { $0.group == .rights }
      #expect(rights.filter { $0.status == .no }.map(\.name).sorted() == no)
      #expect(rights.filter { $0.status == .less }.map(\.name).sorted() == less)
      for check in rights where check.status != .ok {
        #expect(
          check.remedy == (isRoot ? "a container needs them added (--cap-add \(check.title))" : "run it with sudo"))
      }
      if !no.isEmpty { #expect(no.allSatisfy { checks["programs"]?.found.contains($0.uppercased()) == true }) }
    }
  }

  @Test func notInEffect() {
    var facts = Self.facts([])
    facts.permitted = [.bpf, .perfmon, .sysAdmin, .sysPtrace]
    let checks = Self.checks(facts)
    #expect(checks["cap_bpf"]?.status == .no && checks["cap_bpf"]?.remedy.contains("permitted") == true)
    #expect(checks["cap_sys_admin"]?.status == .ok, "it is raised when a namespace is entered")
    facts.effective = nil
    #expect(Self.checks(facts)["cap_bpf"]?.status == .unknown)
  }

  @Test func oldKernelsReadDescriptors() {
    var facts = Self.facts([.bpf, .perfmon])
    #expect(Self.checks(facts)["cap_dac_read_search"] == nil)
    facts.release = "5.10.0"
    #expect(Self.checks(facts)["cap_dac_read_search"]?.status == .less)
  }

  /// Root of a user namespace has all capabilities in it, and none that counts.
  @Test func userNamespace() {
    let checks = Self.checks(.complete([.user: 5]))
    for name in ["cap_bpf", "cap_perfmon", "user_namespace"] { #expect(checks[name]?.status == .no, "\(name)") }
    for name in ["cap_bpf", "user_namespace"] { #expect(checks[name]?.remedy == Remedy.hostRoot) }
  }

  @Test(
    arguments: [
      (Seccomp(isFiltering: false), .ok), (Seccomp(isFiltering: true), .ok),
      (Seccomp(isFiltering: true, unknown: [.bpf]), .unknown),
      (Seccomp(isFiltering: true, refused: [.bpf]), .no),
      (Seccomp(isFiltering: true, refused: [.setns, .perf_event_open]), .less),
      (Seccomp(isFiltering: nil), .ok),
    ] as [(Seccomp, Check.Status)])
  func filter(_ seccomp: Seccomp, _ status: Check.Status) throws {
    var facts = SystemFacts.complete()
    facts.seccomp = seccomp
    let check = try #require(Self.checks(facts)["seccomp"])
    #expect(check.status == status)
    let text = check.found + check.meaning
    if seccomp.isFiltering == true, status != .unknown { #expect(text.contains("no missing capability"), "\(text)") }
    for call in seccomp.refused { #expect(text.contains("\(call.rawValue)(2)")) }
  }

  /// Errors say the same as the diagnosis.
  @Test func hints() {
    let refuses = Seccomp(isFiltering: true, refused: [.bpf])
    #expect(Remedy.permission(.initial, refuses).contains(Remedy.seccomp))
    #expect(Remedy.permission(.other(5), Seccomp(isFiltering: true)).contains(Remedy.hostRoot))
    #expect(Remedy.permission(.initial, Seccomp(isFiltering: true, unknown: [.bpf])) == KernelError.privilegeHint)
  }
}

/// How it is found out whether a filter refuses a call.
@Suite struct SeccompTests {
  private static func seccomp(
    _ status: String?, late: Bool? = true, rights: Bool = true, _ codes: [Seccomp.Call: Int32] = [:]
  ) -> Seccomp {
    Seccomp(status: status, asksRightsLate: late, hasRights: rights) { codes[$0] ?? $0.rejection }
  }

  private static let filtering = "Name:\tx\nSeccomp:\t2\nSeccomp_filters:\t1\n"

  @Test func nothingIsTriedWithoutAFilter() {
    let seccomp = Seccomp(status: "Seccomp:\t0\n", asksRightsLate: true, hasRights: false) { _ in
      Issue.record("tried")
      return EPERM
    }
    #expect(seccomp == Seccomp(isFiltering: false))
  }

  /// As a filter refuses: with an error, or by killing.
  @Test(arguments: [EPERM, EACCES, ENOSYS, -SIGSYS, -SIGKILL])
  func refused(_ code: Int32) {
    for call in Seccomp.Call.allCases {
      #expect(Self.seccomp(Self.filtering, [call: code]) == Seccomp(isFiltering: true, refused: [call]))
    }
  }

  /// Before Linux 5.19 bpf(2) answers EPERM to whoever has no rights, filter or not.
  @Test(arguments: [
    (true, false, true), (false, false, false), (false, true, true), (nil, false, false), (nil, true, true),
  ])
  func isCertain(_ late: Bool?, _ rights: Bool, _ isRefused: Bool) {
    let seccomp = Self.seccomp(Self.filtering, late: late, rights: rights, [.bpf: EPERM])
    #expect(seccomp.refused == (isRefused ? [.bpf] : []) && seccomp.unknown == (isRefused ? [] : [.bpf]))
  }

  @Test func withoutProc() {
    #expect(Self.seccomp(nil, [.setns: EPERM]) == Seccomp(isFiltering: nil, refused: [.setns]))
    #expect(Self.seccomp("no such line\n") == Seccomp(isFiltering: nil))
    #expect(Self.seccomp(nil, [.setns: ECHILD]) == Seccomp(isFiltering: nil, unknown: [.setns]))
  }

  /// The kernel that runs this answers as is expected, without rights too, if there is no filter.
  @Test func thisKernel() {
    #expect(Seccomp.current.refused.isEmpty || Seccomp.current.isFiltering != false)
    #expect(Seccomp.Call.allCases.count == 3)
  }
}

/// Namespaces, and what came of loading.
@Suite struct DiagnosedTrialTests {
  private static func checks(_ facts: SystemFacts, _ change: (inout Trial.Result) -> Void = { _ in }) -> [String: Check]
  {
    var result = Trial.Result()
    change(&result)
    return Dictionary(uniqueKeysWithValues: Diagnosis(facts, .loaded(result)).checks.map { ($0.name, $0) })
  }

  /// The diagnosis and the notices of a run have the same words.
  @Test(
    arguments: [
      (.pid, .less, .processesOutside), (.cgroup, .less, .cgroupsOutside), (.time, .less, .clockUnknown),
      (.net, .note, nil),
    ] as [(Surroundings.Kind, Check.Status, Surroundings.Limit?)])
  func namespace(_ kind: Surroundings.Kind, _ status: Check.Status, _ limit: Surroundings.Limit?) {
    let check = Self.checks(.complete([kind: 5]))["\(kind.rawValue)_namespace"]
    #expect(check?.status == status && check?.found.contains("5") == true)
    if let limit { #expect(check?.meaning == limit.meaning && check?.remedy == limit.remedy) }
  }

  @Test func withoutProc() {
    let checks = Self.checks(.complete([.pid: nil, .time: nil], hasProc: false))
    #expect(checks["proc"]?.status == .less && checks["proc"]?.remedy == Remedy.proc)
    #expect(checks["pid_namespace"]?.status == .less && checks["time_namespace"]?.status == .unknown)
    #expect(Self.checks(.complete([.time: nil]))["time_namespace"]?.status == .ok, "a kernel without")
  }

  @Test func shortfalls() {
    let lost = FailedAttachment(tracepoint: "tcp:tcp_send_reset", code: EPERM, loss: "sent resets not known")
    for change: (inout Trial.Result) -> Void in [
      { $0.shortfall = "sent resets not known" }, { $0.failedAttachments = [lost] },
    ] {
      let check = Self.checks(.complete(), change)["programs"]
      #expect(check?.status == .less && check?.meaning.contains("sent resets not known") == true)
    }
    #expect(Self.checks(.complete()) { $0.tables = .noIterator }["tables"]?.status == .less)
    let error = KernelError("read the tables", errno: EPERM)
    #expect(Self.checks(.complete()) { $0.tables = .failed(error) }["tables"]?.remedy == error.hint)
    #expect(Self.checks(.complete()) { $0.inKernelFailure = error }["in_kernel"]?.status == .less)
    #expect(Self.checks(.complete()) { $0.canReadHolders = false }["owners"]?.status == .less)
    #expect(Self.checks(.complete()) { $0.seesAccepts = false }["accept"]?.status == .note)
  }

  @Test func unreachedNamespaces() {
    var facts = SystemFacts.complete()
    func tables() -> Check? { Self.checks(facts) { $0.tables = .read(namespaces: 2, unreached: 1) }["tables"] }
    #expect(tables()?.status == .less && tables()?.remedy == Remedy.hostNamespaces)
    facts.permitted = [.bpf, .perfmon, .sysAdmin]
    #expect(tables()?.remedy.contains("CAP_SYS_PTRACE") == true)
  }

  @Test func failure() {
    let error = KernelError(.unsupported, "load the BPF programs", cause: "no", hint: "do this")
    let diagnosis = Diagnosis(.complete(), .failed(error))
    #expect(!diagnosis.canTrace && diagnosis.checks(.no).map(\.remedy) == ["do this"])
    #expect(!Diagnosis(.complete(), .notTried).canTrace)
  }
}

/// What the kernel's files say.
@Suite struct SystemFactsTests {
  @Test(arguments: [
    ("[none] integrity confidentiality\n", SystemFacts.Lockdown.none),
    ("none [integrity] confidentiality\n", .integrity),
    ("none integrity [confidentiality]", .confidentiality), ("none", nil), ("[new]", nil), ("", nil),
  ])
  func lockdown(_ text: String, _ expected: SystemFacts.Lockdown?) { #expect(SystemFacts.lockdown(text) == expected) }

  @Test(arguments: [
    ("cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n", SystemFacts.CgroupHierarchy.unified),
    ("a /sys/fs/cgroup/cpu cgroup rw 0 0\nb /c cgroup2 rw 0 0\n", .hybrid), ("a /c cgroup rw 0 0\n", .legacy),
    ("cgroup2 /cgroup tmpfs rw 0 0\n", .notMounted), ("", .notMounted),
  ])
  func cgroups(_ mounts: String, _ expected: SystemFacts.CgroupHierarchy) {
    #expect(SystemFacts.cgroups(mounts: mounts) == expected)
  }

  @Test(arguments: [
    ("6.1.0-28-amd64", KernelVersion(6, 1)), ("5.10", KernelVersion(5, 10)), ("7.3-rc1", KernelVersion(7, 3)),
    ("6", nil), ("", nil),
  ])
  func version(_ release: String, _ expected: KernelVersion?) { #expect(KernelVersion(release: release) == expected) }

  @Test func versionsAreNumbers() {
    #expect(KernelVersion(5, 9) < KernelVersion(5, 10) && KernelVersion(5, 19) < KernelVersion(6, 0))
  }

  /// Whatever runs this has something of each kind.
  @Test(.enabled(if: access("/sys/kernel/btf/vmlinux", R_OK) == 0, "needs BTF"))
  func typeInformation() throws {
    let facts = SystemFacts.gather()
    guard case .read(let names, let bytes) = facts.types else { throw TestFailure("not read") }
    #expect(
      bytes > 100_000 && names.isSuperset(of: KernelName.tracepoints) && names.isSuperset(of: KernelName.iterators))
    #expect(names.isSuperset(of: KernelName.programTypes) && !facts.release.isEmpty && facts.version != nil)
  }
}
