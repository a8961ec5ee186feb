// SPDX-License-Identifier: Apache-2.0
import Glibc
import TCPStateCore

/// Which container, pod and unit a socket belongs to, by its cgroup.
///
/// Each cgroup is looked at when it is first seen, and what was found is kept, so that a container which is gone keeps its
/// name. Where a container has an id but no name yet, such as before the kubelet has linked its log, a later socket of it
/// leads to another look, a few times in all.
///
/// The socket's own cgroup counts. If that says nothing, because the machine has its containers in cgroup v1 or systemd
/// opened the socket for a service, that of the owning process does.
public final class WorkloadResolver: WorkloadNaming {
  /// The most cgroups, and the most processes, that are remembered.
  private static let limit = 100_000
  /// Nanoseconds before each further look at what had no name.
  private static let pauses: [UInt64] = [200_000_000, 2_000_000_000, 20_000_000_000]
  /// A walk of all cgroups takes at most this part of the time.
  private static let walkShare: UInt64 = 20
  /// Nanoseconds for which a process is taken to be in its cgroup still.
  private static let trust: UInt64 = 1_000_000_000

  private final class Look {
    /// `nil` as long as no path is known.
    var path: CgroupPath?
    var workload = Workload()
    var looks = 0
    /// When to look again, CLOCK_MONOTONIC; `nil` for never.
    var next: UInt64? = 0
  }

  private struct Process {
    var name: ShortName
    var look: Look?
    var until: UInt64
  }

  private let files: RuntimeFiles
  private let root: String
  private var byCgroup: [UInt64: Look] = [:]
  private var byPath: [String: Look] = [:]
  private var byProcess: [UInt32: Process] = [:]
  /// Paths that a walk has found and nobody has asked for.
  private var walked: [UInt64: String] = [:]
  private var nextWalk: UInt64 = 0
  /// The answer that was given last, if it can't change.
  private var last: (cgroup: UInt64, workload: Workload) = (0, Workload())

  /// - Parameter root: before the paths of all files; empty for this machine.
  public init(root: String = "") {
    self.root = root
    files = RuntimeFiles(root: root)
  }

  public func workload(cgroup: UInt64?, pid: UInt32?, name: ShortName) -> Workload {
    var own = Workload()
    if let cgroup {
      if cgroup == last.cgroup { return last.workload }
      let look = look(cgroup: cgroup, pid: pid)
      own = look.workload
      if !Self.saysNothing(own) {
        if look.next == nil { last = (cgroup, own) }
        return own
      }
    }
    guard let pid, pid != 0 else { return own }
    let workload = workload(pid: pid, name: name)
    return workload.isUnknown ? own : workload
  }

  /// The container, pod and unit of a process.
  public func workload(pid: UInt32, name: ShortName) -> Workload {
    let now = KernelClock.monotonic()
    if let known = byProcess[pid], known.name == name, now < known.until {
      if let look = known.look { refresh(look, now: now) }
      return known.look?.workload ?? Workload()
    }
    let paths = paths(of: pid)
    // What was known of a process that is gone goes on being known.
    if paths == nil, let known = byProcess[pid], known.name == name { return known.look?.workload ?? Workload() }
    let look = paths.flatMap { best($0) }
    if byProcess.count >= Self.limit { byProcess.removeAll() }
    byProcess[pid] = Process(name: name, look: look, until: now + Self.trust)
    if let look { refresh(look, now: now) }
    return look?.workload ?? Workload()
  }

  /// Those of all processes that /proc shows now, each once.
  public func running() -> [Workload] {
    var found: Set<Workload> = []
    RuntimeFile.forEachName(in: root + "/proc") { process in
      guard let pid = UInt32(process), let paths = paths(of: pid), let look = best(paths) else { return true }
      refresh(look, now: KernelClock.monotonic())
      if !look.workload.isUnknown { found.insert(look.workload) }
      return true
    }
    return Array(found)
  }

  /// Sockets that systemd opens for others belong to its own cgroup.
  private static let manager = InternedText("init.scope")

  private static func saysNothing(_ workload: Workload) -> Bool {
    !workload.isContainer && (workload.unit.isEmpty || workload.unit == manager)
  }

  // MARK: - By cgroup

  private func look(cgroup: UInt64, pid: UInt32?) -> Look {
    let known = byCgroup[cgroup]
    if let known, known.next == nil { return known }
    let now = KernelClock.monotonic()
    var look = known ?? Look()
    guard let next = look.next, next <= now else { return look }
    if look.path == nil, let path = path(of: cgroup, pid: pid, now: now) { look = self.look(path: path) }
    if known !== look {
      if byCgroup.count >= Self.limit { byCgroup.removeAll() }
      byCgroup[cgroup] = look
    }
    refresh(look, now: now)
    return look
  }

  /// Looks for the names if they are due.
  private func refresh(_ look: Look, now: UInt64) {
    guard let next = look.next, next <= now else { return }
    if let path = look.path { look.workload = workload(path, before: look.workload) }
    let isComplete = look.path.map { Self.isComplete(look.workload, $0) } ?? false
    look.next = isComplete || look.looks >= Self.pauses.count ? nil : now + Self.pauses[look.looks]
    look.looks += 1
  }

  private static func isComplete(_ workload: Workload, _ path: CgroupPath) -> Bool {
    (path.containerID == nil || !workload.containerName.isEmpty) && (path.podUID == nil || !workload.podName.isEmpty)
  }

  private func workload(_ path: CgroupPath, before: Workload) -> Workload {
    var names = ContainerNames(container: path.containerName)
    if path.containerID != nil || path.podUID != nil { names.fill(from: files.names(of: path)) }
    var workload = before
    workload.containerID = InternedText(path.containerID ?? "")
    workload.unit = InternedText(path.unit ?? "")
    if let container = names.container { workload.containerName = InternedText(container) }
    if let pod = names.pod { workload.podName = InternedText(pod) }
    if let namespace = names.podNamespace { workload.podNamespace = InternedText(namespace) }
    return workload
  }

  // MARK: - Paths

  /// The path of a cgroup: from its process if that is in it still, else by a walk of all.
  private func path(of cgroup: UInt64, pid: UInt32?, now: UInt64) -> String? {
    if let path = walked.removeValue(forKey: cgroup) { return path }
    if let path = pid.flatMap({ paths(of: $0)?.unified }), CgroupPaths.id(ofPath: path) == cgroup { return path }
    guard now >= nextWalk else { return nil }
    walked = CgroupPaths.all(atMost: Self.limit)
    let cost = KernelClock.monotonic() - now
    nextWalk = now + cost * Self.walkShare
    return walked.removeValue(forKey: cgroup)
  }

  private struct Paths {
    /// In the hierarchy of cgroup v2.
    var unified: String?
    /// In systemd's own hierarchy of cgroup v1, and in those of controllers.
    var others: [String] = []
  }

  /// From /proc/PID/cgroup (cgroups(7)): `0::PATH`, `1:name=systemd:PATH`, `4:memory:PATH`; `nil` if the process is gone.
  private func paths(of pid: UInt32) -> Paths? {
    guard let text = RuntimeFile.text(root + "/proc/\(pid)/cgroup", atMost: 64 << 10), !text.isEmpty else { return nil }
    var paths = Paths()
    for line in text.split(separator: "\n") {
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { continue }
      if fields[0] == "0", fields[1].isEmpty {
        paths.unified = String(fields[2])
      } else if fields[1] == "name=systemd" {
        paths.others.insert(String(fields[2]), at: 0)
      } else {
        paths.others.append(String(fields[2]))
      }
    }
    return paths
  }

  /// The path that says most: a container before a unit, cgroup v2 before v1.
  private func best(_ paths: Paths) -> Look? {
    let looks = ([paths.unified].compactMap { $0 } + paths.others).map { look(path: $0) }
    func first(_ condition: (CgroupPath) -> Bool) -> Look? { looks.first { $0.path.map(condition) ?? false } }
    return first { $0.containerID != nil || $0.containerName != nil } ?? first { $0.podUID != nil }
      ?? first { $0.unit != nil }
  }

  private func look(path: String) -> Look {
    if let known = byPath[path] { return known }
    let look = Look()
    look.path = CgroupPath(path)
    if byPath.count >= Self.limit { byPath.removeAll() }
    byPath[path] = look
    return look
  }
}
