// SPDX-License-Identifier: Apache-2.0
import Glibc
import TCPStateCore

/// Reads from /proc what processes are doing. Nobody is stopped, and no memory is read.
///
/// System calls and wait channels of other users' processes need CAP_SYS_PTRACE; without it they are unknown.
public struct ProcessReader {
  /// The most threads that one value looks at, and of one process: then the rest is unknown.
  private static let mostThreads = 20_000
  private static let mostOfOne = 5000

  private var budget = mostThreads
  private var clock = TaskClock()
  /// By the holders of a socket, so that equal ones share their memory.
  private var found: [[UInt32]: [HolderActivity]] = [:]
  private var byProcess: [UInt32: HolderActivity?] = [:]
  private static let nanosecondsPerTick: UInt64? = {
    let ticks = sysconf(Int32(_SC_CLK_TCK))
    return ticks > 0 ? 1_000_000_000 / UInt64(ticks) : nil
  }()

  public init() {}

  /// Looks at the processes that have to act on sockets, each once.
  public mutating func describe(_ sockets: inout [StuckSocket]) {
    // Ids of another PID namespace's processes would be others here.
    guard !Surroundings.current.limits.contains(.noProc) else { return }
    Capabilities.raised([.sysPtrace]) {
      for index in sockets.indices where sockets[index].state != .timeWait {
        let processes = sockets[index].responsible
        let pids = processes.map(\.pid)
        if let known = found[pids] {
          sockets[index].activities = known
          continue
        }
        let activities = processes.compactMap { activity(of: $0) }
        found[pids] = activities
        sockets[index].activities = activities
      }
    }
  }

  private mutating func activity(of process: SocketHolder) -> HolderActivity? {
    if let known = byProcess[process.pid] { return known }
    let activity = Self.status("/proc/\(process.pid)/stat").flatMap { status -> HolderActivity? in
      // Another process may have got its number.
      guard process.name.isEmpty || status.name == process.name else { return nil }
      return look(at: process.pid, status)
    }
    byProcess[process.pid] = .some(activity)
    return activity
  }

  private mutating func look(at pid: UInt32, _ status: ThreadText.Status) -> HolderActivity? {
    var threads: [ThreadActivity] = []
    var isPartial = false
    var ids: [UInt32] = []
    let limit = min(budget, Self.mostOfOne)
    Directory.forEachName(in: "/proc/\(pid)/task", foldersOnly: true) { name in
      guard ids.count < limit else {
        isPartial = true
        return false
      }
      if let id = UInt32(name) { ids.append(id) }
      return true
    }
    budget -= ids.count
    for id in ids {
      if let thread = thread(id, in: "/proc/\(pid)/task/\(id)") { threads.append(thread) }
    }
    var activity = HolderActivity(pid: pid, threads: threads, isPartial: isPartial)
    activity?.cpu = Self.cpu(status)
    if activity?.state == .traced { activity?.debugger = Self.debugger(of: pid) }
    return activity
  }

  /// CPU time that a process has used so far, in nanoseconds; `nil` if it isn't there.
  public static func cpu(of pid: UInt32) -> UInt64? { status("/proc/\(pid)/stat").flatMap { cpu($0) } }

  private static func cpu(_ status: ThreadText.Status) -> UInt64? {
    guard let ticks = status.ticks, let unit = nanosecondsPerTick, ticks < UInt64.max / unit else { return nil }
    return ticks * unit
  }

  private static func status(_ path: String) -> ThreadText.Status? { text(path).flatMap { ThreadText.status($0) } }

  private static func text(_ path: String) -> String? { FileDescriptor(path: path)?.text() }

  /// - Returns: `nil` if it has ended.
  private mutating func thread(_ id: UInt32, in folder: String) -> ThreadActivity? {
    guard let status = Self.status(folder + "/stat") else { return nil }
    var thread = ThreadActivity(id: id, run: status.run)
    guard status.run != .running, status.run != .exited else { return thread }
    thread.call = Self.text(folder + "/syscall").flatMap { ThreadText.call($0) }
    thread.channel = Self.text(folder + "/wchan").flatMap { ThreadText.channel($0) }
    // First the CPU's clock: the difference must not be too large.
    if let processor = status.processor, let now = clock.time(of: processor),
      let last = Self.text(folder + "/sched").flatMap({ ThreadText.lastRun($0) }),
      // Else that is another CPU's time.
      Self.status(folder + "/stat")?.processor == processor
    {
      thread.idle = now - min(last, now)
    }
    return thread
  }

  private static func debugger(of pid: UInt32) -> SocketHolder? {
    guard let tracer = text("/proc/\(pid)/status").flatMap({ ThreadText.number("TracerPid", in: $0) }), tracer != 0
    else { return nil }
    return SocketHolder(pid: tracer, name: status("/proc/\(tracer)/stat")?.name ?? ShortName(), descriptor: nil)
  }
}
