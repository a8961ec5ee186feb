// SPDX-License-Identifier: Apache-2.0

/// One thing on which tracing depends: what was found, what follows, and what to do about it.
public struct Check: Sendable, Equatable {
  public enum Status: String, Sendable, CaseIterable {
    /// As it should be.
    case ok
    /// Neither good nor bad for tracing; worth knowing.
    case note
    /// Tracing goes on with less.
    case less
    /// It isn't known.
    case unknown
    /// Tracing isn't possible because of it.
    case no
  }

  /// In the order in which they are shown.
  public enum Group: String, Sendable, CaseIterable {
    case kernel, rights, surroundings, host, tracing
  }

  public let group: Group
  /// For machines: `cap_sys_ptrace`. Unique in a diagnosis.
  public let name: String
  /// For people: `CAP_SYS_PTRACE`.
  public let title: String
  public let status: Status
  public let found: String
  /// What follows from it; empty if `found` says it all.
  public let meaning: String
  /// What to do; empty if there is nothing to do.
  public let remedy: String

  public init(
    _ group: Group, _ name: String, title: String? = nil, _ status: Status, _ found: String, _ meaning: String = "",
    remedy: String = ""
  ) {
    (self.group, self.name, self.title, self.status) = (group, name, title ?? name, status)
    (self.found, self.meaning, self.remedy) = (found, meaning, remedy)
  }
}

/// What a kernel, the rights of a process and its surroundings allow.
public struct Diagnosis: Sendable, Equatable {
  public let checks: [Check]
  /// Whether the programs could be loaded and attached.
  public let canTrace: Bool

  public init(_ checks: [Check], canTrace: Bool) {
    (self.checks, self.canTrace) = (checks, canTrace)
  }

  public func checks(_ status: Check.Status) -> [Check] { checks.filter { $0.status == status } }
}
