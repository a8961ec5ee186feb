// SPDX-License-Identifier: Apache-2.0

/// A capability that tracing may need, with the kernel's number (capabilities(7)).
public enum Capability: UInt64, CaseIterable, Sendable {
  case dacReadSearch = 2
  case sysPtrace = 19
  case sysAdmin = 21
  case perfmon = 38
  case bpf = 39

  /// As capabilities(7) spells it.
  public var name: String {
    switch self {
    case .dacReadSearch: "CAP_DAC_READ_SEARCH"
    case .sysPtrace: "CAP_SYS_PTRACE"
    case .sysAdmin: "CAP_SYS_ADMIN"
    case .perfmon: "CAP_PERFMON"
    case .bpf: "CAP_BPF"
    }
  }

  /// What isn't possible without it.
  public var loss: String {
    switch self {
    case .dacReadSearch: "descriptors of other users' processes can't be read"
    case .sysPtrace: "only named network namespaces (ip netns) and this process's own are found"
    case .sysAdmin: "only this process's network namespace can be read"
    case .perfmon: "no program may read the kernel's memory"
    case .bpf: "no program may be loaded"
    }
  }
}

/// Capabilities, one bit each.
public struct CapabilitySet: OptionSet, Hashable, Sendable {
  public let rawValue: UInt64
  public init(rawValue: UInt64) { self.rawValue = rawValue }
  public init(_ capability: Capability) { rawValue = 1 << capability.rawValue }

  public static let dacReadSearch = CapabilitySet(.dacReadSearch)
  public static let sysPtrace = CapabilitySet(.sysPtrace)
  public static let sysAdmin = CapabilitySet(.sysAdmin)
  public static let perfmon = CapabilitySet(.perfmon)
  public static let bpf = CapabilitySet(.bpf)

  public func contains(_ capability: Capability) -> Bool { contains(CapabilitySet(capability)) }
}
