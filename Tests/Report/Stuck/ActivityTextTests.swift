// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import TestSupport
import Testing

@testable import TCPStateReport

@Suite struct ActivityTextTests {
  private static let second: UInt64 = 1_000_000_000
  private static let style = StuckStyle(table: TableStyle(), ownNamespace: nil)
  private static let holder = SocketHolder(pid: 812, name: ShortName("nginx"), descriptor: 14)

  private static func sleeper(_ id: UInt32, _ call: String?, seconds: UInt64? = 11_520) -> ThreadActivity {
    ThreadActivity(
      id: id, run: .sleeping,
      call: call.map {
        ThreadActivity.Call($0, descriptors: $0 == "sendto" ? [14] : [], waitsForEvents: $0 == "epoll_wait")
      },
      channel: "do_wait_there", idle: seconds.map { $0 * second })
  }

  private static func activity(_ threads: [ThreadActivity], isPartial: Bool = false) throws -> HolderActivity {
    try #require(HolderActivity(pid: 812, threads: threads, isPartial: isPartial))
  }

  private static func predicate(_ threads: ThreadActivity..., isPartial: Bool = false) throws -> String {
    ActivityText(style: style).predicate(try activity(threads, isPartial: isPartial))
  }

  @Test func predicates() throws {
    #expect(try Self.predicate(Self.sleeper(812, "futex")) == "has been asleep in futex() for ≥ 3 h 12 m")
    #expect(try Self.predicate(Self.sleeper(812, "futex", seconds: nil)) == "is asleep in futex()")
    #expect(
      try Self.predicate(Self.sleeper(812, nil)) == "has been asleep in the kernel's do_wait_there() for ≥ 3 h 12 m")
    #expect(
      try Self.predicate(ThreadActivity(id: 1, run: .blocked, call: .init("fsync")))
        == "is in a wait that no signal ends in fsync()")
    #expect(
      try Self.predicate(Self.sleeper(1, "futex"), Self.sleeper(2, "futex"), Self.sleeper(3, "epoll_wait", seconds: 5))
        == "has 3 threads, all asleep for ≥ 5.00 s: 2 in futex(), 1 in epoll_wait()")
    #expect(
      try Self.predicate(Self.sleeper(1, "futex"), Self.sleeper(2, "futex"), isPartial: true)
        == "has 2 threads or more, none of which is seen to run: 2 in futex()")
    #expect(try Self.predicate(ThreadActivity(id: 1, run: .running)) == "is busy")
    #expect(
      try Self.predicate(ThreadActivity(id: 1, run: .running), Self.sleeper(2, "futex"))
        == "is busy: 1 of its 2 threads runs")
    #expect(
      try Self.predicate(ThreadActivity(id: 1, run: .stopped))
        == "is stopped by a signal (kill -CONT 812 lets it go on)")
    #expect(try Self.predicate(ThreadActivity(id: 1, run: .traced)) == "is stopped by a debugger")
    #expect(
      try Self.predicate(ThreadActivity(id: 1, run: .sleeping, channel: "do_freezer_trap"))
        == "is frozen with its cgroup")
    #expect(try Self.predicate(ThreadActivity(id: 1, run: .exited)) == "has ended")
    var traced = try Self.activity([ThreadActivity(id: 1, run: .traced)])
    traced.debugger = SocketHolder(pid: 9, name: ShortName("gdb\u{1b}[2J"), descriptor: nil)
    #expect(ActivityText(style: Self.style).predicate(traced) == "is stopped by a debugger, gdb\\x1b[2J/9")
  }

  private static func socket(_ cause: StuckCause, _ threads: [ThreadActivity]) throws -> StuckSocket {
    var socket = StuckSocket(connection: 1, state: .closeWait)
    socket.cause = cause
    socket.holders = [holder]
    socket.age = Stay(nanoseconds: 60 * second, kind: .atLeast)
    socket.atMost = 100 * second
    socket.unreadBytes = cause == .notReading ? 100 : 0
    socket.activities = threads.isEmpty ? [] : [try activity(threads)]
    return socket
  }

  private static func advice(_ cause: StuckCause, _ threads: ThreadActivity...) throws -> String {
    StuckAdvice(style: style).sentences([try socket(cause, threads)])[0]
  }

  /// What it is doing decides where to look.
  @Test func advice() throws {
    let unknown = try Self.advice(.notReading)
    #expect(unknown.hasSuffix("find out where it waits."), "\(unknown)")
    let blocked = try Self.advice(.notReading, Self.sleeper(812, "futex"))
    #expect(
      blocked.hasSuffix(
        ": it is blocked elsewhere. nginx/812 has been asleep in futex() for ≥ 3 h 12 m, since before the peer closed."),
      "\(blocked)")
    let recent = try Self.advice(.notReading, Self.sleeper(812, "futex", seconds: 99))
    #expect(recent.hasSuffix("has been asleep in futex() for ≥ 1 m 39 s."), "\(recent)")
    #expect(
      try Self.advice(.notReading, Self.sleeper(812, "epoll_wait")).contains("this socket isn't registered there"))
    #expect(try Self.advice(.notReading, ThreadActivity(id: 1, run: .running)).contains(": it is busy elsewhere."))
    let missing = try Self.advice(.notClosed, Self.sleeper(812, "epoll_wait", seconds: 3))
    #expect(missing.contains("look for a missing close() after EOF. nginx/812 has been asleep in epoll_wait()"))
    let stopped = try Self.advice(.notClosed, ThreadActivity(id: 1, run: .stopped))
    #expect(stopped.contains("never closed fd 14: it can't while it is stopped."), "\(stopped)")
    #expect(!stopped.contains("missing close()"))
    let sending = try Self.advice(.notReading, Self.sleeper(812, "futex"), Self.sleeper(813, "sendto"))
    #expect(sending.contains("; its thread 813 is in sendto() on the socket."), "\(sending)")
  }

  /// The socket's row says what is unusual, and only that.
  @Test func remarks() throws {
    let text = ActivityText(style: Self.style)
    #expect(text.remark(try Self.socket(.notClosed, [])) == nil)
    #expect(text.remark(try Self.socket(.notClosed, [Self.sleeper(812, "futex")])) == nil)
    #expect(text.remark(try Self.socket(.notClosed, [ThreadActivity(id: 1, run: .running)])) == nil)
    #expect(text.remark(try Self.socket(.notClosed, [ThreadActivity(id: 1, run: .stopped)])) == "stopped")
    #expect(text.remark(try Self.socket(.notClosed, [ThreadActivity(id: 1, run: .traced)])) == "stopped by a debugger")
    #expect(text.remark(try Self.socket(.notClosed, [Self.sleeper(813, "sendto")])) == "in sendto() on it")
  }

  /// In the machine formats: what isn't known is empty.
  @Test func rows() throws {
    var activity = try Self.activity([Self.sleeper(813, "sendto")])
    activity.cpu = 5 * Self.second
    var known = try Self.socket(.notClosed, [])
    known.activities = [activity]
    known.cpuBefore = (pid: 812, cpu: 3 * Self.second)
    known.atMost = nil
    var csv = StuckCSV()
    var buffer = ByteBuffer()
    csv.appendHeader(to: &buffer)
    csv.append(known, time: 1, cgroups: [:], to: &buffer)
    csv.append(try Self.socket(.notClosed, []), time: 1, cgroups: [:], to: &buffer)
    let rows = try CSVTable(buffer.withBytes { Array($0) }).rows
    let names = [
      "holder_state", "holder_call", "holder_wait_channel", "holder_idle_ns", "holder_cpu_ns", "holder_threads",
      "debugger_pid", "socket_call", "socket_call_thread_id",
    ]
    #expect(
      names.map { rows[0][$0] } == [
        "sleeping", "sendto", "do_wait_there", "11520000000000", "2000000000", "1", "", "sendto", "813",
      ])
    #expect(names.allSatisfy { rows[1][$0] == "" })
  }
}
