// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// Namespaces, what is mounted, and settings.
extension Diagnosis {
  static func surroundings(_ facts: SystemFacts) -> [Check] {
    let kinds: [Surroundings.Kind] = [.pid, .net, .user, .time, .cgroup]
    return kinds.map { namespace($0, facts) } + [proc(facts), cgroups(facts)]
  }

  private static func namespace(_ kind: Surroundings.Kind, _ facts: SystemFacts) -> Check {
    func check(_ status: Check.Status, _ found: String, _ meaning: String = "", _ remedy: String = "") -> Check {
      Check(
        .surroundings, "\(kind.rawValue)_namespace", title: kind.title, status, found, meaning, remedy: remedy)
    }
    let limits = facts.surroundings.limits
    switch facts.surroundings.place(kind) {
    case .initial: return check(.ok, "the host's")
    case .other(let inode):
      let own = "one of its own (\(inode))"
      switch kind {
      case .pid: return check(.less, own, Surroundings.Limit.processesOutside.meaning, Remedy.hostNamespaces)
      case .cgroup:
        let limit = Surroundings.Limit.cgroupsOutside
        return check(.less, own, limit.meaning, limit.remedy)
      case .user: return check(.no, own, "the kernel gives no rights to trace here", Remedy.hostRoot)
      // The initial one has no fixed inode before Linux 6.18.
      case .net: return check(.note, "\(inode)", "sockets of all network namespaces are traced; --netns picks one")
      case .time:
        let limit = Surroundings.Limit.clockUnknown
        return limits.contains(limit)
          ? check(.less, own, limit.meaning, limit.remedy) : check(.ok, own, "its offset is taken into account")
      }
    case .unknown:
      switch kind {
      case .pid:
        let limit = Surroundings.Limit.processesUnknown
        return check(.less, "unknown", limit.meaning, facts.surroundings.hasProc ? limit.remedy : Remedy.proc)
      case .time where !limits.contains(.clockUnknown): return check(.ok, "this kernel has none")
      case .time: return check(.unknown, "unknown", Surroundings.Limit.clockUnknown.meaning, Remedy.proc)
      default: return check(.unknown, "unknown", "", facts.surroundings.hasProc ? "" : Remedy.proc)
      }
    }
  }

  private static func proc(_ facts: SystemFacts) -> Check {
    let limit = Surroundings.Limit.noProc
    return facts.surroundings.hasProc
      ? Check(.surroundings, "proc", title: "/proc", .ok, "mounted")
      : Check(
        .surroundings, "proc", title: "/proc", .less, "not mounted",
        "cgroups have no paths, and other network namespaces are found only by their names (ip netns)",
        remedy: limit.remedy)
  }

  private static func cgroups(_ facts: SystemFacts) -> Check {
    func check(_ status: Check.Status, _ found: String, _ meaning: String, _ remedy: String = "") -> Check {
      Check(.surroundings, "cgroup", title: "cgroups", status, found, meaning, remedy: remedy)
    }
    let mount = "mount it: mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified"
    switch facts.cgroups {
    case .unified: return check(.ok, "version 2", "--cgroup and --by cgroup work")
    case .hybrid:
      return check(
        .ok, "versions 1 and 2",
        "version 2's groups are the ones that count: where a service manager uses only version 1, "
          + "all sockets are in /")
    case .legacy: return check(.less, "version 1 only", "cgroups have no paths, and --cgroup finds none", mount)
    case .notMounted: return check(.less, "not mounted", "cgroups have no paths, and --cgroup finds none", mount)
    case nil: return check(.unknown, "unknown", "what is mounted is read from /proc", Remedy.proc)
    }
  }

  // MARK: - Settings

  static func host(_ facts: SystemFacts) -> [Check] { [journal(facts), reuse(facts), ports(facts)] }

  private static func journal(_ facts: SystemFacts) -> Check {
    facts.hasJournal
      ? Check(.host, "journald", .ok, "listening", "tcpstates --journal works")
      : Check(
        .host, "journald", .note, "no socket (/run/systemd/journal/socket)", "only tcpstates --journal needs it",
        remedy: "start systemd-journald, or mount its socket into the container")
  }

  private static func reuse(_ facts: SystemFacts) -> Check {
    let (name, title) = ("tcp_tw_reuse", "tcp_tw_reuse")
    guard let value = facts.settings[name]
    else {
      return Check(
        .host, name, title: title, .unknown, "can't be read", remedy: facts.surroundings.hasProc ? "" : Remedy.proc)
    }
    let meaning =
      switch value {
      case "0": "ports in TIME-WAIT are free again after 60 s; if they run short, sysctl net.ipv4.tcp_tw_reuse=1"
      case "1": "connect() takes over a TIME-WAIT to the same peer after a second"
      case "2": "connect() takes over a TIME-WAIT after a second on loopback only (the default)"
      default: "no known value"
      }
    return Check(.host, name, title: title, .note, value, meaning)
  }

  private static func ports(_ facts: SystemFacts) -> Check {
    func check(_ status: Check.Status, _ found: String, _ meaning: String = "", _ remedy: String = "") -> Check {
      Check(.host, "local_ports", title: "ephemeral ports", status, found, meaning, remedy: remedy)
    }
    let bounds = facts.settings["ip_local_port_range"]?.split(separator: " ").compactMap { Int($0) } ?? []
    guard bounds.count == 2, bounds[0] <= bounds[1]
    else { return check(.unknown, "can't be read", "", facts.surroundings.hasProc ? "" : Remedy.proc) }
    let reserved = reservedPorts(facts.settings["ip_local_reserved_ports"] ?? "")
    let taken = reserved.reduce(0) { $0 + $1.count(within: bounds[0]...bounds[1]) }
    let count = bounds[1] - bounds[0] + 1 - taken
    let meaning = "that many connections to one address and port at a time; stuck time-wait shows how many are left"
    let kept = taken > 0 ? ", \(taken) reserved" : ""
    return check(
      .note, "\(count) (\(bounds[0])-\(bounds[1])\(kept))", meaning,
      count < 10_000 ? "widen it: sysctl net.ipv4.ip_local_port_range=\"10240 60999\"" : "")
  }

  /// `8080,9000-9100`; the kernel writes them in order and without overlaps.
  private static func reservedPorts(_ text: String) -> [ClosedRange<Int>] {
    text.split(separator: ",").compactMap { item in
      let ends = item.split(separator: "-").compactMap { Int($0) }
      guard let first = ends.first, let last = ends.last, first <= last else { return nil }
      return first...last
    }
  }
}

extension ClosedRange<Int> {
  /// How many of it are within other bounds.
  fileprivate func count(within bounds: ClosedRange<Int>) -> Int {
    Swift.max(0, Swift.min(upperBound, bounds.upperBound) - Swift.max(lowerBound, bounds.lowerBound) + 1)
  }
}

extension Surroundings.Kind {
  fileprivate var title: String {
    switch self {
    case .pid: "PID namespace"
    case .net: "network namespace"
    case .user: "user namespace"
    case .time: "time namespace"
    case .cgroup: "cgroup namespace"
    }
  }
}
