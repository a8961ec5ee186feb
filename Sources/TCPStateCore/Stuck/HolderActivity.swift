// SPDX-License-Identifier: Apache-2.0

/// What a process that has to act on a socket is doing, as one look at its threads found it: this decides between a
/// close() that is missing and a process that can't call it.
public struct HolderActivity: Sendable, Equatable {
  /// Of all its threads together.
  public enum State: Sendable, Equatable, CaseIterable {
    /// At least one thread is on a CPU, or waits for one.
    case running
    case sleeping
    /// The thread that ran last waits for the kernel, and no signal wakes it.
    case blocked
    case stopped
    case traced
    /// The cgroup is frozen.
    case frozen
    case exited

    public var name: StaticString {
      switch self {
      case .running: "running"
      case .sleeping: "sleeping"
      case .blocked: "blocked"
      case .stopped: "stopped"
      case .traced: "traced"
      case .frozen: "frozen"
      case .exited: "exited"
      }
    }

    /// Whether nothing is done until somebody lets the process go on.
    public var isHalted: Bool {
      switch self {
      case .stopped, .traced, .frozen, .exited: true
      case .running, .sleeping, .blocked: false
      }
    }
  }

  /// A call that a thread is in, on one descriptor.
  public struct DescriptorCall: Sendable, Equatable {
    public var thread: UInt32
    public var name: String

    public init(thread: UInt32, name: String) { (self.thread, self.name) = (thread, name) }
  }

  /// Thread group id, in the PID namespace of the tracer.
  public let pid: UInt32
  public let state: State
  /// How many threads were looked at, and how many of them run.
  public let threadCount: Int
  public let runningCount: Int
  /// The calls that its threads are in and how many are, most first; those outside a call, or of which it isn't known,
  /// are left out.
  public let calls: [(call: ThreadActivity.Call, count: Int)]
  /// The thread that ran last.
  public let latest: ThreadActivity
  /// For at least so many nanoseconds none of its threads has run; `nil` if one does, or not known.
  public let idle: UInt64?
  /// The process that traces it, if it is stopped by that.
  public var debugger: SocketHolder?
  /// CPU time that it has used so far, in nanoseconds; `nil` if not known.
  public var cpu: UInt64?
  /// Whether all of its threads were looked at.
  public let isComplete: Bool
  private let byDescriptor: [UInt32: DescriptorCall]

  /// - Parameters:
  ///   - threads: all of the process; `nil` is returned if there are none, or none is known.
  ///   - isPartial: whether there are more.
  public init?(pid: UInt32, threads: [ThreadActivity], isPartial: Bool = false) {
    let known = threads.filter { $0.run != .unknown }
    let living = known.filter { $0.run != .exited }
    guard let first = known.first else { return nil }
    self.pid = pid
    threadCount = living.count
    runningCount = living.count { $0.run == .running }
    latest = living.min { Self.rest($0) < Self.rest($1) } ?? first
    isComplete = !isPartial && known.count == threads.count
    let idles = living.map { $0.run == .running ? nil : $0.idle }
    idle = isComplete && !idles.isEmpty && !idles.contains(nil) ? idles.compactMap { $0 }.min() : nil
    state = Self.state(living, latest, isComplete)
    var counts: [ThreadActivity.Call: Int] = [:]
    var byDescriptor: [UInt32: DescriptorCall] = [:]
    for thread in living {
      guard var call = thread.call else { continue }
      for descriptor in call.descriptors where byDescriptor[descriptor] == nil {
        byDescriptor[descriptor] = DescriptorCall(thread: thread.id, name: call.name)
      }
      call.descriptors = []
      counts[call, default: 0] += 1
    }
    self.byDescriptor = byDescriptor
    calls = counts.map { (call: $0.key, count: $0.value) }.sorted {
      $0.count != $1.count ? $0.count > $1.count : $0.call.name < $1.call.name
    }
  }

  /// How long a thread hasn't run, as far as that decides which ran last.
  private static func rest(_ thread: ThreadActivity) -> UInt64 { thread.run == .running ? 0 : thread.idle ?? .max }

  private static func state(_ living: [ThreadActivity], _ latest: ThreadActivity, _ isComplete: Bool) -> State {
    guard !living.isEmpty else { return .exited }
    if living.contains(where: { $0.run == .running }) { return .running }
    if isComplete {
      let isStopped = living.allSatisfy { $0.run == .stopped || $0.run == .traced }
      if isStopped { return living.contains { $0.run == .traced } ? .traced : .stopped }
      if living.allSatisfy(\.isFrozen) { return .frozen }
    }
    return latest.run == .blocked ? .blocked : .sleeping
  }

  /// The call of a thread on a descriptor; `nil` if there is none, or not known.
  public func call(on descriptor: UInt32?) -> DescriptorCall? { descriptor.flatMap { byDescriptor[$0] } }

  /// Whether a thread waits until something happens to any of several descriptors, as event loops do.
  public var waitsForEvents: Bool { calls.contains { $0.call.waitsForEvents } }

  /// What the thread that ran last waits in: its system call, or else the kernel's function.
  public var place: String? { latest.call?.name ?? latest.channel }

  public static func == (a: HolderActivity, b: HolderActivity) -> Bool {
    a.pid == b.pid && a.state == b.state && a.threadCount == b.threadCount && a.runningCount == b.runningCount
      && a.latest == b.latest && a.idle == b.idle && a.debugger == b.debugger && a.cpu == b.cpu
      && a.byDescriptor == b.byDescriptor && a.calls.elementsEqual(b.calls) { $0 == $1 }
  }
}

extension StuckSocket {
  /// What a process is doing that has to act on the socket; `nil` if not known.
  public func activity(of pid: UInt32) -> HolderActivity? { activities.first { $0.pid == pid } }

  /// What the process is doing that is shown as the one to act.
  public var activity: HolderActivity? { responsible.first.flatMap { activity(of: $0.pid) } }

  /// A thread's call on this socket, whichever holder's.
  public var call: (holder: SocketHolder, call: HolderActivity.DescriptorCall)? {
    for holder in holders {
      if let call = activity(of: holder.pid)?.call(on: holder.descriptor) { return (holder, call) }
    }
    return nil
  }

  /// Whether no thread of a process has run since the socket entered its state; `nil` if not known.
  public func hasNotRun(_ activity: HolderActivity) -> Bool? {
    if activity.state == .running { return false }
    guard let idle = activity.idle, let most = age?.kind == .exact ? age?.nanoseconds : atMost else { return nil }
    return idle >= most ? true : nil
  }

  /// CPU time that the process to act has used since the socket entered its state, in nanoseconds; `nil` if not known.
  public var holderCPU: UInt64? {
    guard let activity else { return nil }
    if hasNotRun(activity) == true { return 0 }
    guard let before = cpuBefore, before.pid == activity.pid, let now = activity.cpu, now >= before.cpu else {
      return nil
    }
    return now - before.cpu
  }
}
