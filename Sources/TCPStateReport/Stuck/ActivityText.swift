// SPDX-License-Identifier: Apache-2.0
import TCPStateCore

/// What the processes that have to act are doing, for people.
struct ActivityText {
  let style: StuckStyle

  /// What follows a process's name: `has been asleep in futex() for ≥ 3 h 12 m`.
  func predicate(_ activity: HolderActivity) -> String {
    switch activity.state {
    case .exited: return "has ended"
    case .stopped: return "is stopped by a signal (kill -CONT \(activity.pid) lets it go on)"
    case .traced:
      return "is stopped by a debugger" + (activity.debugger.map { ", \(style.owner($0))" } ?? "")
    case .frozen: return "is frozen with its cgroup"
    case .running:
      return activity.threadCount == 1
        ? "is busy"
        : "is busy: \(NumberText.string(UInt64(activity.runningCount))) of its "
          + "\(NumberText.string(UInt64(activity.threadCount))) threads \(activity.runningCount == 1 ? "runs" : "run")"
    case .sleeping, .blocked: return asleep(activity)
    }
  }

  private func asleep(_ activity: HolderActivity) -> String {
    let time = activity.idle.map { " for \(style.duration(Stay(nanoseconds: $0, kind: .atLeast)))" } ?? ""
    guard activity.threadCount > 1 else {
      let sleep = activity.state == .blocked ? "in a wait that no signal ends" : "asleep"
      return "\(time.isEmpty ? "is" : "has been") \(sleep)\(place(activity))\(time)"
    }
    let threads = "has \(NumberText.string(UInt64(activity.threadCount))) threads"
    let all = activity.isComplete ? "\(threads), all asleep\(time)" : "\(threads) or more, none of which is seen to run"
    return all + places(activity)
  }

  private func place(_ activity: HolderActivity) -> String {
    if let call = activity.latest.call { return " in \(call.name)()" }
    return activity.latest.channel.map { " in the kernel's \($0)()" } ?? ""
  }

  /// `: 8 in futex(), 1 in epoll_wait()`
  private func places(_ activity: HolderActivity) -> String {
    let shown = activity.calls.prefix(3)
    guard !shown.isEmpty else { return "" }
    return ": " + shown.map { "\(NumberText.string(UInt64($0.count))) in \($0.call.name)()" }.joined(separator: ", ")
  }

  /// What is unusual about the process, for a table: `stopped`, `in sendto() on it`; `nil` if nothing is, or not known.
  func remark(_ socket: StuckSocket) -> String? {
    if let (holder, call) = socket.call {
      // Of several holders, which one.
      let whose = socket.processes.count > 1 ? "\(style.owner(holder)) " : ""
      return "\(whose)in \(call.name)() on it"
    }
    guard let activity = socket.activity, activity.state.isHalted else { return nil }
    return activity.state == .traced
      ? "stopped by " + (activity.debugger.map { style.owner($0) } ?? "a debugger") : activity.state.name.description
  }

  /// For `top`: the processes that hold a socket, a line each.
  func lines(_ socket: StuckSocket) -> [String] {
    let processes = socket.responsible
    return processes.compactMap { process in
      guard let activity = socket.activity(of: process.pid) else { return nil }
      let name = processes.count > 1 ? "\(style.owner(process)) " : ""
      let call = activity.call(on: process.descriptor).map { "; thread \($0.thread) is in \($0.name)() on this socket" }
      let cpu = activity.cpu.map { ", \(style.duration($0)) of CPU time in all" } ?? ""
      return name + predicate(activity) + (call ?? "") + cpu
    }
  }
}

// MARK: - Advice

extension ActivityText {
  /// The one process that has to act on sockets that need the same sentence, and what it is doing; `nil` if there are
  /// several, or not known.
  func only(_ found: StuckCase) -> HolderActivity? {
    let processes = found.processes
    guard processes.count == 1, found.verdict != .orphan else { return nil }
    return activity(of: processes[0].pid, in: found)
  }

  private func activity(of pid: UInt32, in found: StuckCase) -> HolderActivity? {
    found.sockets.lazy.compactMap { $0.activity(of: pid) }.first
  }

  /// Why the process doesn't act on its sockets: `it is stopped`; `nil` if not known.
  func reason(_ found: StuckCase) -> String? {
    guard let activity = only(found) else { return nil }
    if activity.state.isHalted {
      return "it can't while it is \(activity.state == .traced ? "stopped" : "\(activity.state.name)")"
    }
    if found.sockets.contains(where: { $0.call != nil }) { return "a thread waits in a call on it" }
    switch activity.state {
    case .running: return "it is busy elsewhere"
    case _ where activity.waitsForEvents && found.verdict != .unaccepted:
      let those = found.isOne ? "this socket isn't" : "these sockets aren't"
      return "it waits for events, and \(those) registered there, or edge-triggered and not read to the end"
    case _ where activity.waitsForEvents: return "it waits for events, and not for the listener's"
    default: return "it is blocked elsewhere"
    }
  }

  /// What the processes are doing, as one sentence without its full stop; `nil` if not known.
  func sentence(_ found: StuckCase) -> String? {
    guard found.verdict != .orphan, found.verdict != .unseen, found.verdict != .closing, found.state != .listen else {
      return nil
    }
    let clauses = found.processes.prefix(3).compactMap { process -> String? in
      guard let activity = activity(of: process.pid, in: found) else { return nil }
      return style.owner(process) + " " + predicate(activity) + since(activity, found) + calls(process.pid, found)
    }
    return clauses.isEmpty ? nil : clauses.joined(separator: "; ")
  }

  /// Whether it has run at all since then, which no close() could do without.
  private func since(_ activity: HolderActivity, _ found: StuckCase) -> String {
    let own = found.sockets.filter { $0.activity(of: activity.pid) != nil }
    if !own.isEmpty, own.allSatisfy({ $0.hasNotRun(activity) == true }) {
      if found.verdict == .unaccepted { return ", since before \(found.isOne ? "it" : "the first of them") came" }
      if found.state == .closeWait { return ", since before \(found.isOne ? "the peer" : "the first peer") closed" }
      return ""
    }
    guard found.isOne, let cpu = found.oldest.holderCPU, found.oldest.activity?.pid == activity.pid else { return "" }
    return ", and has used \(style.duration(cpu)) of CPU time since then"
  }

  /// `; its thread 813 is in recvfrom() on the socket`
  private func calls(_ pid: UInt32, _ found: StuckCase) -> String {
    let calls = found.sockets.compactMap { $0.call }.filter { $0.holder.pid == pid }
    guard let first = calls.first else { return "" }
    let thread = first.call.thread == pid ? "it" : "its thread \(first.call.thread)"
    return "; \(thread) is in \(first.call.name)() on "
      + (found.isOne ? "the socket" : calls.count == 1 ? "one of them" : "one of \(calls.count) in such calls")
  }
}
