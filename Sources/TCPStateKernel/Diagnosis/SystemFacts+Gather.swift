// SPDX-License-Identifier: Apache-2.0
import CLibbpf
import CLinux
import CVerbose
import Glibc

extension SystemFacts {
  /// systemd-journald's socket for its native protocol.
  private static let journalSocket = "/run/systemd/journal/socket"

  /// Looks around, without rights as far as that goes, and changes nothing.
  static func gather() -> SystemFacts {
    var facts = SystemFacts(surroundings: .current)
    (facts.release, facts.machine) = KernelVersion.running
    facts.types = typeInformation()
    facts.lockdown = text("/sys/kernel/security/lockdown").flatMap { lockdown($0) }
    facts.tracefs = access(KernelSource.classicTracepoint)
    facts.isRoot = geteuid() == 0
    let sets = Capabilities.held
    (facts.effective, facts.permitted) = (sets?.effective, sets?.permitted)
    facts.seccomp = .current
    facts.cgroups = text("/proc/self/mounts").map { cgroups(mounts: $0) }
    var status = stat()
    facts.hasJournal = stat(journalSocket, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK
    for name in settingNames {
      facts.settings[name] = text("/proc/sys/net/ipv4/\(name)")?.split(whereSeparator: \.isWhitespace)
        .joined(separator: " ")
    }
    return facts
  }

  private static func text(_ path: String) -> String? { FileDescriptor(path: path)?.text() }

  private static func access(_ path: String) -> Access {
    if Glibc.access(path, R_OK) == 0 { return .readable }
    return errno == EACCES || errno == EPERM ? .denied : .missing
  }

  /// `none [integrity] confidentiality`
  static func lockdown(_ text: String) -> Lockdown? {
    guard let word = text.split(whereSeparator: \.isWhitespace).first(where: { $0.hasPrefix("[") && $0.hasSuffix("]") })
    else { return nil }
    return Lockdown(rawValue: String(word.dropFirst().dropLast()))
  }

  /// - Parameter mounts: the text of /proc/self/mounts (proc_pid_mounts(5)).
  static func cgroups(mounts: String) -> CgroupHierarchy {
    var types: Set<Substring> = []
    for line in mounts.split(separator: "\n") {
      let words = line.split(separator: " ")
      if words.count > 2, words[2].hasPrefix("cgroup") { types.insert(words[2]) }
    }
    return switch (types.contains("cgroup2"), types.contains("cgroup")) {
    case (true, false): .unified
    case (true, true): .hybrid
    case (false, true): .legacy
    case (false, false): .notMounted
    }
  }

  // MARK: - BTF

  private static func typeInformation() -> TypeInformation {
    let path = KernelSource.typeInformation
    if let obstacle = KernelSource.typeInformationObstacle { return .unreadable(obstacle) }
    tcpstate_print_messages(0)
    var status = stat()
    guard stat(path, &status) == 0, let types = btf__parse(path, nil) else { return .unusable }
    defer { btf__free(types) }
    return .read(Set(KernelName.all.filter { has($0, types) }), bytes: Int(status.st_size))
  }

  private static func has(_ name: KernelName, _ types: OpaquePointer) -> Bool {
    func find(_ name: String, _ kind: Int) -> UnsafePointer<btf_type>? {
      let id = btf__find_by_name_kind(types, name, UInt32(kind))
      return id > 0 ? btf__type_by_id(types, UInt32(id)) : nil
    }
    func isNamed(_ offset: UInt32, _ name: String) -> Bool {
      btf__name_by_offset(types, offset).map { strcmp($0, name) == 0 } ?? false
    }
    switch name {
    // BTF has the type of a tracepoint's programs, and of an iterator's context.
    case .tracepoint(let name): return find("btf_trace_\(name)", BTF_KIND_TYPEDEF) != nil
    case .iterator(let name): return find("bpf_iter__\(name)", BTF_KIND_STRUCT) != nil
    case .enumeration(let name): return find(name, BTF_KIND_ENUM) != nil
    case .field(let name, let type):
      guard let found = find(type, BTF_KIND_STRUCT), let members = btf_members(found) else { return false }
      return (0..<Int(btf_vlen(found))).contains { isNamed(members[$0].name_off, name) }
    case .value(let name, let type):
      guard let found = find(type, BTF_KIND_ENUM), let values = btf_enum(found) else { return false }
      return (0..<Int(btf_vlen(found))).contains { isNamed(values[$0].name_off, name) }
    }
  }
}
