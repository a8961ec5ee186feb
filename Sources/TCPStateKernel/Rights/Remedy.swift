// SPDX-License-Identifier: Apache-2.0

/// What to do about what is missing: the same words in errors, notices and `doctor`.
public enum Remedy {
  static let typeInformation = "it has to be built with CONFIG_DEBUG_INFO_BTF=y, as distributions do since 2021"
  static let tracefs = "mount it: mount -t tracefs tracefs /sys/kernel/tracing"
  static let sysfs = "mount it: mount -t sysfs sysfs /sys"
  static let proc = "mount it: mount -t proc proc /proc"
  static let seccomp =
    "allow these calls in the container's seccomp profile (Docker's does with --cap-add, podman's too), or run it with "
    + "--security-opt seccomp=unconfined; a systemd unit needs them in SystemCallFilter="
  static let hostNamespaces = "run it in the host's PID namespace (--pid=host)"
  static let hostRoot = "run it with sudo as the host's root, not a container's"
  static func newerKernel(_ version: KernelVersion) -> String { "Linux \(version) or newer is needed" }

  /// How to get capabilities.
  ///
  /// - Parameter isRoot: whether this is user 0, who lacks them only in a container.
  public static func grant(_ capabilities: [String], isRoot: Bool) -> String {
    guard isRoot else { return "run it with sudo" }
    let options = capabilities.map { "--cap-add \($0)" }.joined(separator: " ")
    return "a container needs them added (\(options))"
  }

  /// What to do after EPERM although nothing seems to be missing.
  static func permission(_ user: Surroundings.Place, _ seccomp: Seccomp) -> String {
    if seccomp.refused.contains(.bpf) {
      return "no capability is missing, a seccomp filter refuses bpf(2): \(Remedy.seccomp)"
    }
    if case .other = user { return "root of this user namespace has no rights on the kernel; \(hostRoot)" }
    return KernelError.privilegeHint
  }
}

extension Surroundings.Limit {
  /// What isn't seen, or not right.
  public var meaning: String {
    switch self {
    case .noProc: "/proc isn't mounted, so cgroups have no paths"
    case .processesOutside:
      "this is a PID namespace of its own: process ids are those in it, processes outside have none, and what they hold "
        + "isn't found"
    case .processesUnknown: "it isn't known whether process ids are those seen here"
    case .clockUnknown: "this time namespace's offset can't be read, so times and ages may be wrong by it"
    case .cgroupsOutside: "cgroups outside this cgroup namespace have no paths"
    }
  }

  public var remedy: String {
    switch self {
    case .noProc: Remedy.proc
    case .processesOutside, .processesUnknown: Remedy.hostNamespaces
    case .clockUnknown: "run it in the host's time namespace"
    case .cgroupsOutside: "run it in the host's cgroup namespace (--cgroupns=host)"
    }
  }
}
