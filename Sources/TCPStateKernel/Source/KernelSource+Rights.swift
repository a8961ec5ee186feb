// SPDX-License-Identifier: Apache-2.0
import CLibbpf
import Glibc

/// Capabilities and network namespaces: what each capability is needed for, and until when.
///
/// Loading and attaching need CAP_BPF and CAP_PERFMON. After that, only the tables of other namespaces need any:
/// CAP_SYS_ADMIN to enter a namespace, CAP_SYS_PTRACE to find it through another user's process. Before Linux 5.12
/// other users' descriptors also need CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH.
extension KernelSource {
  /// The namespaces whose tables are wanted and that can be found: paths by inode.
  public func namespaces() throws(KernelError) -> [UInt32: String] {
    guard let netns else { return try finder.all() }
    if isOwnNamespaceEnough { return [netns: NetworkNamespaces.ownPath] }
    return try finder.find([netns], exists: true)
  }

  /// The same, as far as they are among `wanted`.
  public func namespaces(among wanted: Set<UInt32>) throws(KernelError) -> [UInt32: String] {
    guard netns == nil else { return try namespaces().filter { wanted.contains($0.key) } }
    return try finder.find(wanted)
  }

  private var isOwnNamespaceEnough: Bool { netns != nil && netns == NetworkNamespaces.own }

  /// Whether what is seen from this process's namespaces may not be everything, or not right.
  public var isConfined: Bool { hidesNamespaces || Surroundings.current.limits.contains(.clockUnknown) }

  /// Whether there may be wanted namespaces that can't be found from here, whatever the capabilities.
  public var hidesNamespaces: Bool { !isOwnNamespaceEnough && Surroundings.current.hidesNamespaces }

  /// What is missing to read the tables of other namespaces; empty if nothing is, or none is needed.
  public var missingForNamespaces: [Capability] {
    guard canReadTables, !isOwnNamespaceEnough else { return [] }
    return [.sysAdmin, .sysPtrace].filter { !namespaceRights.contains($0) }
  }

  /// Gives up, for this thread, every capability that no later call on this value needs; see `Capabilities`.
  ///
  /// The others are in effect only while namespaces are looked up or entered.
  public func dropCapabilities() throws(KernelError) {
    var later: CapabilitySet = canReadTables && !isOwnNamespaceEnough ? namespaceRights : []
    // For what the holders of a single reading's sockets do; see ProcessReader.
    if tablesOnly { later.insert(.sysPtrace) }
    if isPlain { later.formUnion([.sysPtrace, .dacReadSearch]) }  // for /proc/PID/fd
    try Capabilities.drop(keeping: later.union([.bpf]))
    // Before Linux 5.19 every bpf(2) call needs CAP_BPF if kernel.unprivileged_bpf_disabled is set.
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
