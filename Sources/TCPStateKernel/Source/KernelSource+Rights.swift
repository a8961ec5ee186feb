import CLibbpf
import Glibc

/// Capabilities and network namespaces: what each is needed for, and when no longer.
///
/// Loading and attaching takes CAP_BPF and CAP_PERFMON. Afterwards only other namespaces' tables take
/// any: CAP_SYS_ADMIN to enter a namespace, CAP_SYS_PTRACE to find it by a process of another user. Before
/// Linux 5.12 other users' descriptors take CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH too.
extension KernelSource {
  /// The namespaces whose tables are to be read and that can be found, by inode, with paths.
  public func namespaces() throws(KernelError) -> [UInt32: String] {
    guard let netns else { return try NetworkNamespaces.all() }
    if isOwnNamespaceEnough { return [netns: NetworkNamespaces.ownPath] }
    return try NetworkNamespaces.all().filter { $0.key == netns }
  }

  private var isOwnNamespaceEnough: Bool { netns != nil && netns == NetworkNamespaces.own }

  /// What is missing for other namespaces' tables; empty when all is there, or not needed.
  public var missingForNamespaces: [Capability] {
    guard canReadTables, !isOwnNamespaceEnough else { return [] }
    return [.sysAdmin, .sysPtrace].filter { !namespaceRights.contains($0) }
  }

  /// Gives up every capability that no later call on this value needs, for this thread; see `Capabilities`.
  ///
  /// What is kept is in effect only while a namespace is looked for or entered.
  public func dropCapabilities() throws(KernelError) {
    var later: CapabilitySet = canReadTables && !isOwnNamespaceEnough ? namespaceRights : []
    if isPlain { later.formUnion([.sysPtrace, .dacReadSearch]) }  // for /proc/PID/fd
    try Capabilities.drop(keeping: later.union([.bpf]))
    // Before Linux 5.19 each call of bpf(2) takes CAP_BPF where kernel.unprivileged_bpf_disabled is set.
    var info = bpf_prog_info()
    var size = UInt32(MemoryLayout<bpf_prog_info>.size)
    let isRefused = bpf_obj_get_info_by_fd(programDescriptor, &info, &size) != 0 && errno == EPERM
    if isRefused {
      try Capabilities.drop(keeping: later.union([.bpf]), inEffect: [.bpf])
    } else {
      try Capabilities.drop(keeping: later)
    }
  }
}
