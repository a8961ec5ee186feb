// SPDX-License-Identifier: Apache-2.0
import TCPStateCore
import Testing

@Suite struct HolderActivityTests {
  private typealias Call = ThreadActivity.Call
  private static let second: UInt64 = 1_000_000_000
  private static let futex = Call("futex")
  private static let epoll = Call("epoll_wait", waitsForEvents: true)

  private static func activity(_ threads: ThreadActivity..., isPartial: Bool = false) -> HolderActivity? {
    HolderActivity(pid: 10, threads: threads, isPartial: isPartial)
  }

  private static func sleeper(_ id: UInt32, seconds: UInt64?, _ call: Call? = futex) -> ThreadActivity {
    ThreadActivity(id: id, run: .sleeping, call: call, idle: seconds.map { $0 * second })
  }

  @Test func nothingSeenIsNothingKnown() {
    #expect(HolderActivity(pid: 1, threads: []) == nil)
    #expect(Self.activity(ThreadActivity(id: 1, run: .unknown)) == nil)
  }

  /// One thread that runs makes the process busy, whatever the others do.
  @Test func running() throws {
    let found = try #require(
      Self.activity(Self.sleeper(1, seconds: 5), ThreadActivity(id: 2, run: .running), Self.sleeper(3, seconds: 1)))
    #expect(found.state == .running && found.runningCount == 1 && found.threadCount == 3)
    #expect(found.idle == nil && found.latest.id == 2)
  }

  /// As long as none has run, which is since the latest did.
  @Test func asleep() throws {
    let found = try #require(
      Self.activity(
        Self.sleeper(1, seconds: 50), Self.sleeper(2, seconds: 5, Self.epoll), Self.sleeper(3, seconds: 70)))
    #expect(found.state == .sleeping && found.idle == 5 * Self.second)
    #expect(found.latest.id == 2 && found.place == "epoll_wait" && found.waitsForEvents)
    #expect(found.calls.map(\.call.name) == ["futex", "epoll_wait"] && found.calls.map(\.count) == [2, 1])
  }

  /// A thread whose time isn't known, or that wasn't looked at, may have run just now.
  @Test func unknownTime() throws {
    let one = try #require(Self.activity(Self.sleeper(1, seconds: 50), Self.sleeper(2, seconds: nil)))
    #expect(one.idle == nil && one.state == .sleeping && one.isComplete)
    let more = try #require(Self.activity(Self.sleeper(1, seconds: 50), isPartial: true))
    #expect(more.idle == nil && !more.isComplete)
    let unseen = try #require(Self.activity(Self.sleeper(1, seconds: 50), ThreadActivity(id: 2, run: .unknown)))
    #expect(unseen.idle == nil && !unseen.isComplete)
  }

  @Test func halted() throws {
    func state(_ runs: ThreadActivity.Run..., isPartial: Bool = false) -> HolderActivity.State? {
      HolderActivity(
        pid: 1, threads: runs.enumerated().map { ThreadActivity(id: UInt32($0), run: $1) }, isPartial: isPartial)?.state
    }
    #expect(state(.stopped, .stopped) == .stopped)
    #expect(state(.stopped, .traced) == .traced)
    // Its main thread has ended, the others go on.
    #expect(state(.exited, .stopped) == .stopped && state(.exited, .sleeping) == .sleeping)
    #expect(state(.exited, .exited) == .exited)
    // A debugger that has stopped one thread leaves the others.
    #expect(state(.traced, .sleeping) == .sleeping && state(.traced, .running) == .running)
    #expect(state(.stopped, isPartial: true) == .sleeping, "others may run")
    #expect(state(.blocked) == .blocked)
    for channel in ["do_freezer_trap", "__refrigerator"] {
      let frozen = ThreadActivity(id: 1, run: .sleeping, channel: channel)
      #expect(Self.activity(frozen, frozen)?.state == .frozen)
      #expect(Self.activity(frozen, Self.sleeper(2, seconds: 1))?.state == .sleeping)
    }
  }

  private static func socket(_ activity: HolderActivity?) -> StuckSocket {
    var socket = StuckSocket(connection: 1, state: .closeWait)
    socket.holders = [SocketHolder(pid: 10, name: ShortName("a"), descriptor: 7)]
    socket.activities = [activity].compactMap { $0 }
    return socket
  }

  /// Of several threads the one that is in a call on this descriptor, not on another.
  @Test func callOnSocket() throws {
    let found = try #require(
      Self.activity(
        Self.sleeper(10, seconds: 5, Call("recvfrom", descriptors: [6])),
        Self.sleeper(11, seconds: 9, Call("sendto", descriptors: [7]))))
    let call = try #require(Self.socket(found).call)
    #expect(call.call.thread == 11 && call.call.name == "sendto" && call.holder.pid == 10)
    var other = Self.socket(found)
    other.holders[0].descriptor = 8
    #expect(other.call == nil)
    other.holders[0].descriptor = nil
    #expect(other.call == nil)
    #expect(Self.socket(nil).call == nil && Self.socket(nil).activity == nil)
  }

  /// Only an upper bound of the state's age shows that it hasn't run since.
  @Test func hasNotRun() throws {
    let found = try #require(Self.activity(Self.sleeper(1, seconds: 60)))
    var socket = Self.socket(found)
    socket.age = Stay(nanoseconds: 10 * Self.second, kind: .atLeast)
    #expect(socket.hasNotRun(found) == nil && socket.holderCPU == nil)
    socket.atMost = 61 * Self.second
    #expect(socket.hasNotRun(found) == nil)
    socket.atMost = 60 * Self.second
    #expect(socket.hasNotRun(found) == true && socket.holderCPU == 0)
    (socket.atMost, socket.age) = (nil, Stay(nanoseconds: 59 * Self.second, kind: .exact))
    #expect(socket.hasNotRun(found) == true)
    let busy = try #require(Self.activity(ThreadActivity(id: 1, run: .running)))
    #expect(socket.hasNotRun(busy) == false)
  }

  @Test func cpuSince() throws {
    var found = try #require(Self.activity(ThreadActivity(id: 1, run: .running)))
    found.cpu = 5 * Self.second
    var socket = Self.socket(found)
    #expect(socket.holderCPU == nil)
    socket.cpuBefore = (pid: 10, cpu: 2 * Self.second)
    #expect(socket.holderCPU == 3 * Self.second)
    // Another process's, or another one with that number.
    socket.cpuBefore = (pid: 11, cpu: 2 * Self.second)
    #expect(socket.holderCPU == nil)
    socket.cpuBefore = (pid: 10, cpu: 6 * Self.second)
    #expect(socket.holderCPU == nil)
  }
}
