// SPDX-License-Identifier: Apache-2.0

/// What a diagnosis is made from. Whatever isn't known is `nil`.
struct SystemFacts: Sendable {
  /// As uname(2) has them.
  var release = ""
  var machine = ""
  var types = TypeInformation.unreadable(.missing)
  /// How /sys/kernel/security/lockdown restricts the kernel (kernel_lockdown(7)).
  var lockdown: Lockdown?
  /// Whether the id of the classic tracepoint can be read.
  var tracefs = Access.missing
  /// Whether the process's user is 0.
  var isRoot = false
  /// The capabilities in effect, and those that can be raised.
  var effective: CapabilitySet?
  var permitted: CapabilitySet?
  var seccomp = Seccomp(isFiltering: nil)
  var surroundings: Surroundings
  var cgroups: CgroupHierarchy?
  /// Whether systemd-journald's socket is there.
  var hasJournal = false
  /// Values below /proc/sys/net/ipv4.
  var settings: [String: String] = [:]

  /// Those that are read.
  static let settingNames = ["tcp_tw_reuse", "ip_local_port_range", "ip_local_reserved_ports"]

  enum Access: Sendable, Equatable {
    case readable
    /// Not there.
    case missing
    /// There, but this process may not read it.
    case denied
  }

  enum Lockdown: String, Sendable, CaseIterable {
    case none, integrity, confidentiality
  }

  enum CgroupHierarchy: Sendable, Equatable {
    /// Version 2 alone.
    case unified
    /// Version 2 next to version 1.
    case hybrid
    /// Version 1 alone.
    case legacy
    case notMounted
  }

  /// BTF of the kernel (/sys/kernel/btf/vmlinux).
  enum TypeInformation: Sendable, Equatable {
    /// The names of `KernelName` that are in it, and its size in bytes.
    case read(Set<KernelName>, bytes: Int)
    /// It can't be parsed.
    case unusable
    case unreadable(KernelSource.TypeInformationObstacle)
  }

  var version: KernelVersion? { KernelVersion(release: release) }

  /// Whether the kernel has it; `nil` if that isn't known.
  func has(_ name: KernelName) -> Bool? {
    if case .read(let names, _) = types { names.contains(name) } else { nil }
  }

  func holds(_ capability: Capability) -> Bool? { effective.map { $0.contains(capability) } }
}

/// What the type information of a kernel may have.
enum KernelName: Sendable, Hashable {
  case tracepoint(String)
  /// An iterator's target.
  case iterator(String)
  case field(String, of: String)
  case value(String, of: String)
  case enumeration(String)

  /// Everything that a diagnosis asks for.
  static let all: [KernelName] =
    tracepoints + iterators + programTypes + KernelFeature.all.compactMap(\.evidence)

  /// Those to which programs are attached.
  static let tracepoints: [KernelName] = {
    var names: [String] = []
    for program in BPFPrograms.all {
      guard let name = program.tracepoint, name.contains(":"), let own = name.split(separator: ":").last,
        !names.contains(String(own))
      else { continue }
      names.append(String(own))
    }
    return names.map { .tracepoint($0) }
  }()

  static let iterators: [KernelName] = [.iterator("tcp"), .iterator("task_file")]

  /// What loading asks of bpf(2).
  static let programTypes: [KernelName] = [
    .value("BPF_PROG_TYPE_TRACING", of: "bpf_prog_type"), .value("BPF_MAP_TYPE_RINGBUF", of: "bpf_map_type"),
    .value("BPF_MAP_TYPE_SK_STORAGE", of: "bpf_map_type"),
  ]

  /// For people.
  var text: String {
    switch self {
    case .tracepoint(let name), .iterator(let name), .value(let name, _), .enumeration(let name): name
    case .field(let name, let type): "\(type).\(name)"
    }
  }
}

/// What kernels lack before a version; docs/COMPATIBILITY.md explains each.
struct KernelFeature: Sendable {
  let since: KernelVersion
  /// What shows in the type information that a kernel has it, because distributions' kernels take over features of newer
  /// ones; `nil` if nothing does.
  let evidence: KernelName?
  /// What isn't seen without it.
  let loss: String

  static let all = [
    KernelFeature(
      since: KernelVersion(5, 9), evidence: .iterator("tcp"),
      loss: "no sockets older than the tracer, no end of TIME-WAIT, no stuck"),
    KernelFeature(
      since: KernelVersion(5, 12), evidence: nil,
      loss: "no socket cookies, owners known only from opens, closes and /proc, no half-open requests"),
    KernelFeature(
      since: KernelVersion(6, 7), evidence: .field("total_rto_time", of: "tcp_sock"),
      loss: "SYN-RECEIVED is a minimum if a SYN-ACK was sent again"),
    KernelFeature(
      since: KernelVersion(6, 10), evidence: .enumeration("sk_rst_reason"),
      loss: "no reason from the kernel for a reset that it sent"),
    KernelFeature(
      since: KernelVersion(6, 14), evidence: .field("tw_entry_stamp", of: "inet_timewait_sock"),
      loss: "the start of older TIME-WAITs only to 2 ms"),
    KernelFeature(
      since: KernelVersion(6, 15), evidence: nil, loss: "the start of SYN-RECEIVED up to 20 µs late"),
  ]

  /// Those that this kernel lacks.
  static func missing(_ facts: SystemFacts) -> [KernelFeature] {
    all.filter { feature in
      if let has = feature.evidence.flatMap({ facts.has($0) }) { return !has }
      return facts.version.map { $0 < feature.since } ?? false
    }
  }
}
