// SPDX-License-Identifier: Apache-2.0
@testable import TCPStateCore
import Testing

/// Each socket counts once, whoever holds it.
@Suite struct StuckGroupTests {
  private static func socket(
    _ id: UInt64, seconds: UInt64, heldBy pids: [UInt32], peer: String = "10.0.0.9",
    ports: (UInt16, UInt16) = (443, 40_000)
  ) -> StuckSocket {
    var socket = StuckSocket(connection: id, state: .closeWait)
    socket.age = Stay(nanoseconds: seconds * 1_000_000_000, kind: .atLeast)
    socket.holders = pids.map { SocketHolder(pid: $0, name: ShortName("p\($0)"), descriptor: 3) }
    socket.verdict = pids.count > 1 ? .shared : .held
    socket.local = Endpoint(address: IPAddress(v4: 0x0a00_0005), port: ports.0)
    socket.peer = Endpoint(address: IPAddress(parsing: peer) ?? .unspecified, port: ports.1)
    socket.cgroup = 70 + id % 2
    return socket
  }

  private func keys(_ sockets: [StuckSocket], _ grouping: StuckGrouping = .process) -> [(StuckGroup.Key, Int)] {
    StuckGroup.groups(of: sockets, by: grouping).map { ($0.key, $0.count) }
  }

  /// Three holders of one socket are one group, and so are those who share others with any of them. One that holds a
  /// socket alone is blamed alone for it.
  @Test func shared() {
    let sockets = [
      Self.socket(1, seconds: 90, heldBy: [10, 11, 12]), Self.socket(2, seconds: 80, heldBy: [12, 13]),
      Self.socket(3, seconds: 70, heldBy: [13]), Self.socket(4, seconds: 60, heldBy: [20, 21]),
    ]
    let groups = StuckGroup.groups(of: sockets, by: .process)
    #expect(groups.map(\.key) == [.processes([10, 11, 12, 13]), .processes([13]), .processes([20, 21])])
    #expect(groups.map(\.count) == [2, 1, 1])
    #expect(groups.reduce(0) { $0 + $1.count } == sockets.count)
    #expect(groups[0].oldest?.connection == 1)
    // 12 has two of them.
    #expect(groups[0].processes.map(\.pid) == [12, 10, 11, 13])
    #expect(groups[0].verdicts == [.shared: 2])
  }

  @Test func byOtherThings() {
    let sockets = [
      Self.socket(1, seconds: 90, heldBy: [1], peer: "10.0.0.9"),
      Self.socket(2, seconds: 80, heldBy: [2], peer: "10.0.0.9"),
      Self.socket(3, seconds: 70, heldBy: [1], peer: "10.0.0.8", ports: (50_000, 5432)),
    ]
    #expect(keys(sockets, .peer).map(\.1) == [2, 1])
    let ports = keys(sockets, .port)
    #expect(ports.map(\.0) == [.port(443, isLocal: true), .port(5432, isLocal: false)] && ports.map(\.1) == [2, 1])
    let cgroups = keys(sockets, .container)
    #expect(cgroups.map(\.0) == [.cgroup(71), .cgroup(70)] && cgroups.map(\.1) == [2, 1])
    #expect(keys(sockets).map(\.0) == [.processes([1]), .processes([2])])
  }

  /// Who must accept is responsible; an orphan is its maker's; TIME-WAIT isn't summed up here.
  @Test func withoutHolders() {
    var waiting = Self.socket(1, seconds: 9, heldBy: [])
    waiting.verdict = .unaccepted
    waiting.listeners = [
      StuckListener(
        local: waiting.local, holders: [SocketHolder(pid: 7, name: ShortName("web"), descriptor: 3)], acceptQueue: 1,
        acceptQueueLimit: 8, requestQueue: 0)
    ]
    var orphan = Self.socket(2, seconds: 8, heldBy: [])
    orphan.verdict = .orphan
    orphan.maker = SocketHolder(pid: 8, name: ShortName("curl"), descriptor: nil)
    var nobody = Self.socket(3, seconds: 7, heldBy: [])
    nobody.verdict = .unseen
    let over = StuckSocket(connection: 4, state: .timeWait)
    let groups = StuckGroup.groups(of: [waiting, orphan, nobody, over], by: .process)
    #expect(groups.map(\.key) == [.processes([7]), .maker(8), .processes([])])
    #expect(groups[1].processes.map(\.pid) == [8] && groups[2].processes.isEmpty)
  }

  /// Those that were there before watching began are none of the growth.
  @Test func growth() {
    var watch = StuckWatch(StuckQuery(olderThan: 10))
    var before = StuckReading()
    before.sockets = [Self.socket(1, seconds: 90, heldBy: [5])]
    watch.adopt(before, at: 100_000_000_000)
    var row = Transition()
    (row.connection, row.old, row.new, row.source) = (2, .established, .closeWait, .event)
    _ = watch.receive(row, at: 100_000_000_000)
    var both = before
    both.sockets.append(Self.socket(2, seconds: 0, heldBy: [5]))
    #expect(watch.takeDue(101_000_000_000, from: both).count == 2)
    let present = watch.present(now: 103_000_000_000)
    #expect(present.sockets.map(\.connection) == [1, 2])
    #expect(present.sockets.map { $0.age?.nanoseconds } == [93_000_000_000, 3_000_000_000])
    let group = StuckGroup.groups(of: present.sockets, by: .process)[0]
    #expect(group.count == 2 && group.newer == 1)
  }
}
